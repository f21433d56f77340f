"""Tokens of other services: made and revoked by admins, renewed by the services themselves."""

import builtins
from collections.abc import Iterable

from ...domain.access.callers import SCOPES, Actor, Origin
from ...domain.access.credentials import fingerprint
from ...domain.secret import Secret
from ...errors import Conflict, Invalid, NotFound
from ...models.access import audit, service_tokens
from ...models.access.service_tokens import DAY_MS, ServiceToken
from ...models.database import Database
from ...models.transaction import Transaction
from .service_secrets import SHOWN_CHARACTERS, ServiceSecrets, new_identifier, not_valid

MIN_DAYS, MAX_DAYS = 30, 365
RENEWABLE_DAYS = 7  # before its end


class TooEarly(Conflict):
    """The service token is not in its last week yet."""

    code = "renewal_too_early"


class ServiceTokens:
    """Makes, lists, renews and revokes service tokens. Thread-safe; blocks."""

    def __init__(self, database: Database, secrets: ServiceSecrets) -> None:
        self._database = database
        self._secrets = secrets

    def create(
        self,
        name: str,
        scopes: Iterable[str],
        days: int | None,
        actor: Actor,
        *,
        exchange_only: bool = False,
    ) -> tuple[ServiceToken, Secret]:
        """A new token and its text, which is never to be seen again; `days` None: eternal.

        Raises Invalid.
        """
        wanted = [scope for scope in SCOPES if scope in set(scopes)]
        if days is not None and not MIN_DAYS <= days <= MAX_DAYS:
            raise Invalid(f"days: must be {MIN_DAYS} to {MAX_DAYS}")
        if not wanted:
            raise Invalid("scopes: name at least one")
        identifier = new_identifier()
        kind = "service_token.create" if days is not None else "service_token.create_eternal"
        given = {"name": name, "scopes": wanted, "days": days, "exchange_only": exchange_only}
        with self._database.transaction() as transaction:
            token = service_tokens.insert(
                transaction,
                name=name,
                scopes=" ".join(wanted),
                days=days,
                exchange_only=exchange_only,
                created_by=actor.name,
                placeholder=fingerprint(identifier),
            )
            audit.record(transaction, actor, kind, f"service_token:{token.id}", after=given)
            return self._written(transaction, token, identifier)

    def list(self) -> tuple[builtins.list[ServiceToken], int]:
        """Every token, newest first, also those that have ended; and the time (epoch ms)."""
        with self._database.transaction(write=False) as transaction:
            return service_tokens.list_all(transaction), transaction.now_ms()

    def renew(self, text: str, origin: Origin) -> tuple[ServiceToken, Secret]:
        """The successor of a token in its last week: same name, scopes and days.

        Until the successor is used the same one is given again, to whoever has lost the answer
        or asked at the same time. The old token lives on to its own end. Raises Unauthenticated,
        TooEarly, and Conflict for one that never ends or whose successor is in use.
        """
        secret_hash = self._secrets.hash_of(text)
        identifier = self._secrets.successor_identifier(text)
        with self._database.transaction() as transaction:
            old = service_tokens.lock_by_hash(transaction, secret_hash)
            if old is None or not old.is_alive(transaction.now_ms()):
                raise not_valid()
            _check_time(old, transaction.now_ms())
            successor = _unused_successor(transaction, old)
            if successor is None:
                successor = _succeed(transaction, old, fingerprint(identifier), origin)
            return self._written(transaction, successor, identifier)

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

    def _written(
        self, transaction: Transaction, token: ServiceToken, identifier: str
    ) -> tuple[ServiceToken, Secret]:
        """The token with its text, of which the database gets the hash and the end."""
        secret = self._secrets.issue(token, identifier)
        text = secret.reveal()
        shown = f"...{text[-SHOWN_CHARACTERS:]}"
        return service_tokens.set_secret(transaction, token, fingerprint(text), shown), secret


def _check_time(token: ServiceToken, now_ms: int) -> None:
    if token.expires_at_ms is None:
        raise Conflict("This service token never ends", code="never_ends")
    if now_ms < token.expires_at_ms - RENEWABLE_DAYS * DAY_MS:
        raise TooEarly(f"It can be renewed in the last {RENEWABLE_DAYS} days before its end")


def _unused_successor(transaction: Transaction, old: ServiceToken) -> ServiceToken | None:
    """What the token was renewed to already, if nobody has used that."""
    if old.successor_id is None:
        return None
    successor = service_tokens.get(transaction, old.successor_id)
    used = successor is None or successor.last_used_at_ms is not None
    if successor is None or used or not successor.is_alive(transaction.now_ms()):
        raise Conflict(
            f"It was renewed already, to service token {old.successor_id}, which is in use or"
            " revoked. If that was not you, tell an admin: somebody else has this token",
            code="already_renewed",
        )
    return successor


def _succeed(
    transaction: Transaction, old: ServiceToken, placeholder: str, origin: Origin
) -> ServiceToken:
    """A successor for a token, which is noted with both of them."""
    successor = service_tokens.insert(
        transaction,
        name=old.name,
        scopes=old.scopes,
        days=old.days,
        exchange_only=bool(old.exchange_only),
        created_by=old.created_by,
        placeholder=placeholder,
    )
    service_tokens.set_successor(transaction, old.id, successor.id)
    audit.record(
        transaction,
        Actor("service", str(old.id), old.name, origin),
        "service_token.renew",
        f"service_token:{old.id}",
        after={"successor": successor.id, "days": old.days},
    )
    return successor
