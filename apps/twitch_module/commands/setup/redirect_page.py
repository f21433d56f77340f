"""What a browser shows that comes back to the wizard: the look of the module's own pages.

It is one document, because the wizard answers nothing else: the style stands in it. Nothing of
what the browser brought is shown.
"""

import base64
import hashlib
from functools import cache

from ...settings import APP_FOLDER

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Back to the terminal · WaddleBot</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<main>
<p class="mark {mood}" aria-hidden="true">{mark}</p>
<h1>Back to the terminal</h1>
<p>{told}</p>
<p class="quiet">You can close this page.</p>
</main>
</body>
</html>
"""


@cache
def _style() -> str:
    return (APP_FOLDER / "static" / "page.css").read_text(encoding="utf-8")


def page(*, has_code: bool) -> bytes:
    """The page for somebody who has agreed at Twitch, or has not."""
    if has_code:
        mood, mark, told = (
            "good",
            "✓",
            "Twitch has sent you back. The terminal says how it goes on.",
        )
    else:
        mood, mark, told = "bad", "✗", "You have not been logged in. The terminal says why."
    return _PAGE.format(style=_style(), mood=mood, mark=mark, told=told).encode()


def policy() -> str:
    """The Content-Security-Policy for it: nothing but its own style."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:;"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
