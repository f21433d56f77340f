"""Ten tries to log in within five minutes, per user and per address, counted for all workers."""

from ...domain.access.credentials import fingerprint
from ...domain.addresses import one_customer
from ...errors import TooManyRequests
from ...models.access import admins, login_attempts
from ...models.database import Database
from ...models.transaction import Transaction


class LoginThrottle:
    """Decides whether a login may be tried, before its password costs anything. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def admit(self, username: str, address: str) -> int:
        """Count a try; its id, to be forgiven when it succeeds. Raises TooManyRequests.

        Every try counts from its beginning on, so that many at once are not more than ten.
        """
        with self._database.transaction(write=False) as transaction:
            self._check(transaction, username, address)  # a refusal takes no lock
        with self._database.transaction() as transaction:
            login_attempts.serialize(transaction)
            self._check(transaction, username, address)
            return login_attempts.add(transaction, fingerprint(username), one_customer(address))

    def _check(self, transaction: Transaction, username: str, address: str) -> None:
        customer = one_customer(address)
        # Strangers must not be able to lock an admin out who logs in from where he always does:
        # there the limit of his address alone counts.
        at_home = admins.has_logged_in_from(transaction, username, customer)
        username_hash = None if at_home else fingerprint(username)
        wait_ms = login_attempts.wait_ms(transaction, username_hash, customer)
        if wait_ms:
            raise TooManyRequests(
                "Too many logins were tried", retry_after_seconds=-(-wait_ms // 1000)
            )
