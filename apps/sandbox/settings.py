"""What can be chosen about the sandbox: by its environment, and while it runs.

The only reader of the environment in this package.
"""

import os
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass
class Settings:
    """The switches of the control API; every test run starts from these values."""

    # "strict": what was granted in the sandbox's own consent page or by the control API counts,
    # and what its streamer has granted from the start. "all": everybody has granted everything.
    grants: str = "strict"
    # "send": every new subscription is challenged. "never": it stays pending.
    challenges: str = "send"
    # Types that Twitch has taken away: creating one answers 410.
    removed_types: list[str] = field(default_factory=list)
    # Types that Twitch has added: version 1, about a broadcaster, without a grant.
    further_types: list[str] = field(default_factory=list)
    # Subscriptions per page of the EventSub list; Twitch does not publish its own number.
    page_size: int = 100
    user_token_seconds: int = 14_400
    app_token_seconds: int = 5_000_000
    # How long a device's code is good, and how often the device may ask.
    device_code_seconds: int = 1800
    device_interval_seconds: int = 5
    # Helix points per minute and bucket; None never answers 429.
    ratelimit: int | None = None
    # Shell patterns of the activation keys that the gateway knows.
    gateway_keys: list[str] = field(default_factory=lambda: ["demo*"])
    max_total_cost: int = 10_000
    # How many times a failed message is sent again, and the pause before each time.
    redeliveries: int = 3
    redelivery_seconds: float = 1.0
    # Who is logged in at Twitch in every browser: sent straight back when they have granted all
    # that is asked for, unless verifying is forced. Empty: nobody, everybody is asked.
    logged_in_user_id: str = ""
    # Exact redirect addresses of the client; none means: every address on this machine.
    redirect_uris: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def changed(self, changes: dict[str, Any]) -> "Settings":
        """These settings with some replaced; ValueError names what is unknown or wrong."""
        known = {one.name for one in fields(self)}
        for name, value in changes.items():
            if name not in known or not _fits(name, value):
                raise ValueError(f"unknown or unusable setting: {name}")
        return Settings(**{**self.as_dict(), **changes})


CHOICES = {"grants": ("strict", "all"), "challenges": ("send", "never")}
TEXTS = ("logged_in_user_id",)
LISTS = ("further_types", "gateway_keys", "redirect_uris", "removed_types")


def _fits(name: str, value: Any) -> bool:
    if name in CHOICES:
        return value in CHOICES[name]
    if name in TEXTS:
        return isinstance(value, str)
    if name in LISTS:
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    if name == "ratelimit" and value is None:
        return True
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return False
    if name == "redelivery_seconds":
        return True
    return isinstance(value, int) and (name not in ("page_size", "ratelimit") or value > 0)


def expected_client_id() -> str | None:
    """The one client that Twitch knows; None when any will do."""
    return os.environ.get("TWITCH_APP_ID") or None


def expected_client_secret() -> str | None:
    return os.environ.get("TWITCH_APP_SECRET") or None


def module_url() -> str:
    """Where the Twitch module answers, without a slash at the end."""
    default = f"http://127.0.0.1:{os.environ.get('PORT') or 8000}"
    return (os.environ.get("SANDBOX_MODULE_URL") or default).rstrip("/")


def admin_credentials() -> tuple[str, str]:
    """Name and password for the module's admin API, as `make run` set them."""
    return os.environ.get("ADMIN_USERNAME", ""), os.environ.get("ADMIN_PASSWORD", "")
