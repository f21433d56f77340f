"""Tokens of other services: made and revoked by admins."""

import builtins
import secrets
from collections.abc import Iterable

from ..domain.access import SCOPES, Actor
from ..domain.credentials import SERVICE_PREFIX, fingerprint
from ..domain.secret import Secret
from ..errors import Invalid, NotFound
from ..models import audit, service_tokens
from ..models.database import Database
from ..models.service_tokens import ServiceToken

MIN_DAYS, MAX_DAYS = 30, 365
_SHOWN_CHARACTERS = len(SERVICE_PREFIX) + 6  # of the 43 behind the prefix


class ServiceTokens:
    """Makes, lists and revokes service tokens. Thread-safe; blocks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self, name: str, scopes: Iterable[str], days: int | None, actor: Actor
    ) -> tuple[ServiceToken, Secret]:
        """A new token and its secret, which is never to be seen again; `days` None: eternal.

        Raises Invalid.
        """
        wanted = [scope for scope in SCOPES if scope in set(scopes)]
        if days is not None and not MIN_DAYS <= days <= MAX_DAYS:
            raise Invalid(f"days: must be {MIN_DAYS} to {MAX_DAYS}")
        if not wanted:
            raise Invalid("scopes: name at least one")
        secret = SERVICE_PREFIX + secrets.token_urlsafe(32)
        with self._database.transaction() as transaction:
            token = service_tokens.insert(
                transaction,
                name=name,
                prefix=secret[:_SHOWN_CHARACTERS],
                secret_hash=fingerprint(secret),
                scopes=wanted,
                days=days,
                created_by=actor.name,
            )
            audit.record(
                transaction,
                actor,
                "service_token.create" if days is not None else "service_token.create_eternal",
                f"service_token:{token.id}",
                after={"name": name, "scopes": wanted, "days": days},
            )
        return token, Secret(secret)

    def list(self) -> tuple[builtins.list[ServiceToken], int]:
        """Every token, newest first, also those that have ended; and the time (epoch ms)."""
        with self._database.transaction(write=False) as transaction:
            return service_tokens.list_all(transaction), transaction.now_ms()

    def revoke(self, token_id: int, actor: Actor) -> None:
        """End a token and all access tokens that came from it. Raises NotFound."""
        with self._database.transaction() as transaction:
            token = service_tokens.get(transaction, token_id)
            if token is None:
                raise NotFound(f"There is no service token {token_id}")
            if service_tokens.revoke(transaction, token_id):
                audit.record(
                    transaction,
                    actor,
                    "service_token.revoke",
                    f"service_token:{token_id}",
                    before={"name": token.name, "scopes": token.scopes.split()},
                )
