"""The keys that the stored tokens are encrypted with: whether they do, and changing them."""

from ...models.database import Database
from ...models.tokens import tokens
from ...models.tokens.tokens import TokenRow
from ...vault import Vault
from .sealed_pairs import Seal


class KeyRotation:
    """Checks and changes the keys of all stored tokens. Blocks on the database."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._seal = Seal(vault)

    def check_keys(self) -> None:
        """Open every stored token. Raises CannotOpen when a key is missing or wrong."""
        with self._database.transaction(write=False) as transaction:
            rows = tokens.list_all(transaction)
        for row in rows:
            self._seal.access_token(row)
            self._seal.refresh_token(row)

    def seal_anew(self) -> int:
        """Put every token under the first key, while others go on working; how many changed.

        Can be interrupted and run again at any time.
        """
        changed, after = 0, ""
        while True:
            with self._database.transaction(write=False) as transaction:
                rows = tokens.sealed_after(transaction, after, 100)
            if not rows:
                return changed
            changed += sum(self._replace(row) for row in rows)
            after = rows[-1].user_id

    def _replace(self, row: TokenRow) -> bool:
        again = self._seal.anew(row)
        if again is None:
            return False
        with self._database.transaction() as transaction:
            return tokens.replace_sealed(transaction, row, *again)
