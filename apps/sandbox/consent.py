"""The page where a streamer agrees. Twitch: Authorization code grant flow."""

from html import escape
from urllib.parse import urlencode

from .callback import is_loopback_url, origin_of
from .endpoint import played
from .exchange import Answer, Call, RefusedCall
from .people import Person
from .security import page_headers
from .settings import expected_client_id
from .state import sandbox
from .tokens import Code

FIELDS = ("client_id", "redirect_uri", "response_type", "scope", "state", "force_verify")


@played("/sandbox/oauth2/authorize", "GET")
def ask(call: Call) -> Answer:
    """The question, with a button for every user there is; none to who has answered before."""
    asked = _checked({name: call.param(name) or "" for name in FIELDS})
    user_id, scopes = sandbox.settings.logged_in_user_id, set(asked["scope"].split())
    granted = sandbox.tokens.granted(asked["client_id"], user_id)
    if granted and scopes <= granted and asked["force_verify"] != "true":
        return _agreed(asked, user_id)
    return consent_page(200, _question(asked), redirects_to=origin_of(asked["redirect_uri"]))


@played("/sandbox/oauth2/authorize", "POST")
def decide(call: Call) -> Answer:
    """Sends the browser back, with a code or with the refusal."""
    form = call.form()
    asked = _checked({name: form.get(name, "") for name in FIELDS})
    person = sandbox.people.get(form.get("user_id", ""))
    if person is None:
        return _back(asked, error="access_denied", error_description=DENIED)
    return _agreed(asked, person.id)


def _agreed(asked: dict[str, str], user_id: str) -> Answer:
    scopes = tuple(asked["scope"].split())
    code = Code(asked["client_id"], asked["redirect_uri"], user_id, scopes)
    return _back(asked, code=sandbox.tokens.issue_code(code), scope=" ".join(scopes))


DENIED = "The user denied you access"


def _checked(asked: dict[str, str]) -> dict[str, str]:
    """The request when it is sound. A wrong client or address is told to the user: nobody
    may be redirected to an address that is not registered."""
    if not asked["client_id"] or asked["client_id"] != (expected_client_id() or asked["client_id"]):
        raise RefusedCall(consent_page(400, problem("client does not exist")))
    if not _is_registered(asked["redirect_uri"]):
        raise RefusedCall(
            consent_page(400, problem("redirect_uri does not match a registered URI"))
        )
    if asked["force_verify"] not in ("", "true", "false"):
        raise RefusedCall(consent_page(400, problem("force_verify must be true or false")))
    if asked["response_type"] != "code":
        raise RefusedCall(
            _back(asked, error="unsupported_response_type", error_description="Use code")
        )
    return asked


def _is_registered(redirect_uri: str) -> bool:
    registered = sandbox.settings.redirect_uris
    return redirect_uri in registered if registered else is_loopback_url(redirect_uri)


def _back(asked: dict[str, str], **result: str) -> Answer:
    if asked["state"]:
        result["state"] = asked["state"]
    join = "&" if "?" in asked["redirect_uri"] else "?"
    location = asked["redirect_uri"] + join + urlencode(result)
    return Answer(302, b"", {"Location": location, "Cache-Control": "no-store"})


def consent_page(status: int, main: str, redirects_to: str = "") -> Answer:
    body = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Log in - sandbox</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/sandbox/static/sandbox.css">
</head>
<body class="consent">
<main class="card">
{main}
</main>
</body>
</html>
"""
    return Answer(status, body.encode(), page_headers(form_targets=redirects_to))


def problem(text: str) -> str:
    return f"<h1>This link does not work</h1>\n<p>{escape(text)}</p>"


def _question(asked: dict[str, str]) -> str:
    hidden = "\n".join(
        f'<input type="hidden" name="{name}" value="{escape(asked[name])}">' for name in FIELDS
    )
    scopes = "\n".join(f"<li><code>{escape(one)}</code></li>" for one in asked["scope"].split())
    rights = f'<ul class="scopes">\n{scopes}\n</ul>' if scopes else "<p>Only your name.</p>"
    people = "\n".join(login_button(person) for person in sandbox.people.all())
    return f"""<p class="eyebrow">The sandbox plays Twitch</p>
<h1>Who is logging in?</h1>
<p>The application <code>{escape(asked["client_id"])}</code> asks for:</p>
{rights}
<form method="post" action="/sandbox/oauth2/authorize">
{hidden}
<div class="choices">
{people}
<button class="quiet" name="decision" value="decline">Decline</button>
</div>
</form>"""


def login_button(person: Person) -> str:
    name = escape(person.display_name)
    return f'<button name="user_id" value="{escape(person.id)}">Log in as {name}</button>'
