"""Why the wizard cannot go on: one line, with what to do."""

from ...clients.twitch_auth import CodeRefused
from ...errors import ModuleError, TwitchRefused

CONSOLE = "https://dev.twitch.tv/console/apps"


class SetupFailed(ModuleError):
    """Something about the login went wrong; the message says what to do. Nothing was changed."""

    code = "setup_failed"
    title = "Not set up"


def not_registered(redirect_uri: str) -> SetupFailed:
    """Twitch does not send browsers back to this address."""
    return SetupFailed(
        f"Twitch does not know the redirect URL. Add exactly {redirect_uri}"
        f" to the application at {CONSOLE}, or name a registered one with --redirect-uri"
    )


def explained(error: ModuleError, redirect_uri: str) -> SetupFailed:
    """What an error of Twitch's token endpoint means for who is setting up."""
    said = str(error)
    if "redirect_uri" in said:
        return not_registered(redirect_uri)
    if "invalid client secret" in said:
        return SetupFailed(
            f"Twitch does not accept the client secret. Make a new one at {CONSOLE}, and enter it"
        )
    if "invalid client" in said:
        return SetupFailed(f"Twitch knows no such client id. Copy it from {CONSOLE}")
    if isinstance(error, CodeRefused):
        return SetupFailed(
            f"Twitch does not accept the code: it was used already, or is too old ({said})."
            " Run setup again, and log in anew"
        )
    if isinstance(error, TwitchRefused):
        return SetupFailed(f"{said}. Compare the application at {CONSOLE}")
    return SetupFailed(f"{said}. Is Twitch reachable from here? Run setup again in a few minutes")
