"""The shapes of answers about logins and tokens."""

from typing import Literal

from pydantic import Field

from ..schemas import Reason, Shape, Time


class UnknownLogin(Shape):
    """Nobody with this id has logged in."""

    authenticated: Literal[False]
    user_id: str


class Login(Shape):
    """A streamer's login: what was granted, and whether it holds."""

    authenticated: bool
    user_id: str
    login: str
    display_name: str
    scopes: list[str]
    missing_scopes: list[str] = Field(description="What the channel's event types need beside")
    expires_at: Time | None
    expires_in: int = Field(description="Seconds that the access token has left")
    status: Literal["ok", "needs_login"]
    reason: Reason
    last_validated_at: Time | None
    login_url: str | None = Field(description="For a new login, where it needs one")


class LoginList(Shape):
    """Everyone who has logged in."""

    users: list[Login]


class TokenState(Shape):
    """A user's access token, without the token itself."""

    user_id: str
    login: str
    scopes: list[str]
    expires_at: Time | None
    expires_in: int = Field(description="Seconds")


class LentToken(TokenState):
    """A valid access token, for use at Twitch together with the application's client id."""

    access_token: str
    token_type: Literal["bearer"]


class RevokedLogin(Shape):
    """The tokens are deleted here."""

    user_id: str
    deleted: Literal[True]
    revoked_at_twitch: bool = Field(description="Whether Twitch has confirmed it")


class Gateway(Shape):
    """What became of the activation key."""

    activated: bool
    detail: str


class Connected(Shape):
    """The login is finished."""

    authenticated: Literal[True]
    message: str
    user_id: str
    login: str
    display_name: str
    scopes: list[str]
    gateway: Gateway | None = Field(description="null when there was no activation key")
    monitored: bool = Field(description="Whether the user's channel is")
