"""The admins' login."""

from pydantic import BaseModel, ConfigDict, Field

from ..common import services
from ..services.admin_auth import ACCESS_SECONDS
from .http import Answer, endpoint, read_form_or_json, reply


class Credentials(BaseModel):
    """What an admin logs in with."""

    model_config = ConfigDict(extra="forbid")

    username: str = Field(max_length=200)
    password: str = Field(max_length=1000)


@endpoint("/api/auth/login", "POST", who="anyone")
def log_in() -> Answer:
    """An access token for 15 minutes."""
    given = read_form_or_json(Credentials)
    token = services().admin_auth.log_in(given.username, given.password)
    return reply({"access_token": token, "token_type": "bearer", "expires_in": ACCESS_SECONDS})
