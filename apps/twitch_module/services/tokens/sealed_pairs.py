"""The users' tokens in the vault: each sealed for its own row and column."""

from ...domain.secret import Secret
from ...domain.tokens.oauth import Grant
from ...models.tokens.tokens import SealedPair, TokenRow
from ...vault import Vault

_ACCESS, _REFRESH = "access_token", "refresh_token"  # columns


class Seal:
    """Seals and opens pairs of tokens. What opens raises CannotOpen."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def pair(self, user_id: str, grant: Grant, now_ms: int) -> SealedPair:
        """A pair as it is stored for this user."""
        return SealedPair(
            self._vault.seal(_place(user_id, _ACCESS), grant.access_token),
            self._vault.seal(_place(user_id, _REFRESH), grant.refresh_token),
            " ".join(grant.scopes),
            now_ms + grant.expires_in * 1000,
        )

    def access_token(self, row: TokenRow) -> Secret:
        """The access token of a row."""
        return self._vault.open(_place(row.user_id, _ACCESS), row.access_token)

    def refresh_token(self, row: TokenRow) -> Secret:
        """The refresh token of a row."""
        return self._vault.open(_place(row.user_id, _REFRESH), row.refresh_token)

    def anew(self, row: TokenRow) -> tuple[str, str] | None:
        """The same pair under the first key; None when it is under that already."""
        sealed = {_ACCESS: row.access_token, _REFRESH: row.refresh_token}
        places = {column: _place(row.user_id, column) for column in sealed}
        if all(self._vault.is_current(places[column], sealed[column]) for column in sealed):
            return None
        access, refresh = self.access_token(row), self.refresh_token(row)
        return (
            self._vault.seal(places[_ACCESS], access),
            self._vault.seal(places[_REFRESH], refresh),
        )


def _place(user_id: str, column: str) -> str:
    return f"twitch_tokens:{user_id}:{column}"
