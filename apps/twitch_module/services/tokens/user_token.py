"""A user's token as others get it, and why there may be none."""

from dataclasses import dataclass

from ...domain.secret import Secret
from ...errors import Conflict


class NeedsLogin(Conflict):
    """The user's grant is dead: only a new login helps."""

    code = "needs_login"
    title = "The user has to log in again"


@dataclass(frozen=True, slots=True)
class UserToken:
    """A user's access token. `version` tells this pair from those before and after it."""

    user_id: str
    login: str
    access_token: Secret
    scopes: tuple[str, ...]
    expires_at_ms: int
    version: int
