"""`service-token`: what other services log in with."""

from typing import Any

import click

from ...domain.access.callers import SCOPES
from ...errors import Invalid
from ...models.access.service_tokens import ServiceToken
from ...services.access.service_tokens import MAX_DAYS, MIN_DAYS
from ..api_client import Api, segment
from ..group import Group
from ..installation import Installation
from ..remote import as_json, local_or_remote
from ..terminal import Cell, Column, note, say, show_json, show_list
from ..times import end_is_near, from_ms, shown
from .admin import whoever_types

_PATH = "/api/auth/service-token"
_COLUMNS = (
    "id",
    "name",
    "made by",
    Column("ends", "time"),
    Column("last used", "time"),
    Column("status", "status"),
    Column("scopes", "prose"),
)
_MAX_NAME_CHARACTERS = 100


@click.group("service-token", cls=Group, short_help="What other services log in with.")
def service_token() -> None:
    """What other services log in with: made, listed, revoked.

    Works on this installation's database, or with --url on a running service.

    Example: cli service-token create chat-bot --scope events:read --days 90
    """


@service_token.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    required=True,
    help="What it may do. Repeatable.",
)
@click.option(
    "--days", type=click.IntRange(MIN_DAYS, MAX_DAYS), metavar="N", help="For so many days."
)
@click.option("--eternal", is_flag=True, help="Until it is revoked.")
@click.option(
    "--exchange-only", is_flag=True, help="It brings access tokens, and does not serve as one."
)
@as_json
@local_or_remote
def create(
    api: Api | None,
    name: str,
    scopes: tuple[str, ...],
    days: int | None,
    eternal: bool,
    exchange_only: bool,
    as_json: bool,
) -> None:
    """Make a service token. It is shown this once, alone on standard output.

    Example: cli service-token create chat-bot --scope events:read --days 90
    """
    if (days is None) != eternal:
        raise click.UsageError(f"give either --days {MIN_DAYS} to {MAX_DAYS}, or --eternal")
    wanted = list(dict.fromkeys(scopes))
    if api is not None:
        body: dict[str, Any] = {"name": name, "scopes": wanted}
        body |= {"eternal": True} if eternal else {"days": days}
        body |= (
            {"exchange_only": True} if exchange_only else {}
        )  # older services refuse what they do not know
        document = api.call("POST", _PATH, body=body).document
    else:
        document = _created(name, wanted, days, exchange_only)
    if as_json:
        show_json(document)
        return
    ends = "it has no end" if eternal else f"it ends at {shown(document['expires_at'])}"
    note(f"Service token {document['id']} for {document['name']}; {ends}. Keep it: it is not")
    note("shown again.")
    say(document["service_token"])


@service_token.command("list")
@as_json
@local_or_remote
def list_(api: Api | None, as_json: bool) -> None:
    """Every service token, newest first. Warns of those that end within a week.

    Example: cli service-token list
    """
    document = api.get(_PATH) if api is not None else _listed()
    found = document["service_tokens"]
    if as_json:
        show_json(document)
    elif not found:
        say("No service tokens. Make one: cli service-token create NAME --scope ... --days 90")
    else:
        show_list(_COLUMNS, [_cells(one) for one in found])
    for one in found:
        if warning := _warning(one):
            note(warning)


@service_token.command()
@click.argument("token_id", metavar="ID")
@as_json
@local_or_remote
def revoke(api: Api | None, token_id: str, as_json: bool) -> None:
    """End a service token, and every access that came from it.

    Example: cli service-token revoke 3
    """
    if not (token_id.isascii() and token_id.isdigit() and len(token_id) <= 18):
        raise click.UsageError(f"{token_id!r} is no id: it is a number of cli service-token list")
    if api is not None:
        api.call("DELETE", f"{_PATH}/{segment(token_id)}")
    else:
        _installation().services().access.service_tokens.revoke(int(token_id), whoever_types())
    if as_json:
        show_json({"id": int(token_id), "revoked": True})
    else:
        say(f"Service token {token_id} is revoked")


def _installation() -> Installation:
    installation: Installation = click.get_current_context().obj
    return installation


def _created(name: str, scopes: list[str], days: int | None, exchange_only: bool) -> dict[str, Any]:
    """A new token of this database, as the API describes it."""
    name = name.strip()
    if not 0 < len(name) <= _MAX_NAME_CHARACTERS or not name.isprintable():
        raise Invalid(f"name: must be 1 to {_MAX_NAME_CHARACTERS} printable characters")
    tokens = _installation().services().access.service_tokens
    who = whoever_types()
    token, secret = tokens.create(name, scopes, days, who, exchange_only=exchange_only)
    return {
        "id": token.id,
        "service_token": secret.reveal(),
        "name": token.name,
        "scopes": token.scopes.split(),
        "expires_at": from_ms(token.expires_at_ms),
        "exchange_only": bool(token.exchange_only),
    }


def _listed() -> dict[str, Any]:
    """The tokens of this database, as the API lists them."""
    tokens, now_ms = _installation().services().access.service_tokens.list()
    return {"service_tokens": [_described(token, now_ms) for token in tokens]}


def _described(token: ServiceToken, now_ms: int) -> dict[str, Any]:
    ended = "expired" if token.revoked_at_ms is None else "revoked"
    return {
        "id": token.id,
        "name": token.name,
        "prefix": token.prefix,
        "scopes": token.scopes.split(),
        "status": "active" if token.is_alive(now_ms) else ended,
        "eternal": token.expires_at_ms is None,
        "expires_at": from_ms(token.expires_at_ms),
        "created_by": token.created_by,
        "created_at": from_ms(token.created_at_ms),
        "last_used_at": from_ms(token.last_used_at_ms),
        "revoked_at": from_ms(token.revoked_at_ms),
        "exchange_only": bool(token.exchange_only),
        "successor_id": token.successor_id,
    }


def _warning(one: dict[str, Any]) -> str | None:
    """That a token ends soon and nothing is in its place."""
    if one["status"] != "active" or one.get("successor_id") is not None:
        return None
    return end_is_near(f"service token {one['id']} ({one['name']})", one["expires_at"])


def _cells(one: dict[str, Any]) -> tuple[Cell, ...]:
    return (
        str(one["id"]),
        one["name"],
        one["created_by"],
        "never" if one["eternal"] else one["expires_at"],
        one["last_used_at"],
        _status(one),
        " ".join(one["scopes"]),
    )


def _status(one: dict[str, Any]) -> str:
    status = "ends soon" if _warning(one) else str(one["status"])
    if one.get("successor_id") is not None:
        status += f", renewed as {one['successor_id']}"
    return f"{status}, exchange only" if one.get("exchange_only") else status
