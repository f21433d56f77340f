"""A complete environment for the module, pointing at addresses where nobody listens."""

SECRET = "a-webhook-secret-of-the-tests"
ADMIN, PASSWORD = "admin", "a-password-of-the-tests"


def environment(**changes: str) -> dict[str, str]:
    """The environment, with changes; an empty text takes a variable away."""
    return {
        "SANDBOX": "1",  # a .env of whoever runs the tests is not read
        "TWITCH_APP_ID": "app-id",
        "TWITCH_APP_SECRET": "app-secret-of-the-tests",
        "TWITCH_WEBHOOK_SECRET": SECRET,
        "PUBLIC_URL": "https://bot.example",
        "CONTEXT_API_URL": "http://127.0.0.1:9/context",
        "REPUTATION_API_URL": "http://127.0.0.1:9/reputation",
        "ADMIN_USERNAME": ADMIN,
        "ADMIN_PASSWORD": PASSWORD,
        **changes,
    }
