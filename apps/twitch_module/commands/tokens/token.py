"""`token`: the users' tokens, seen and handled from a terminal. Shows none of them."""

import time
from datetime import UTC, datetime
from typing import Any

import click

from ...errors import NotFound
from ...models.tokens.tokens import TokenRow
from ...services.tokens.key_rotation import KeyRotation
from ...services.tokens.user_tokens import UserTokens
from ..group import Group
from ..installation import Installation
from ..terminal import Cell, Column, console, say, show_json, show_list
from ..times import duration
from .token_import import import_

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
_user = click.argument("user")

_COLUMNS = (
    Column("user", "person"),
    Column("status", "status"),
    "scopes",
    "expires in",
    Column("last validated", "time"),
)


@click.group(cls=Group, short_help="The users' tokens: list, renew, revoke, import; change keys.")
def token() -> None:
    """The users' tokens: list, renew, revoke or import them, change their encryption key.

    Example: cli token list
    """


@token.command("list")
@_as_json
@click.pass_obj
def list_(installation: Installation, as_json: bool) -> None:
    """Everybody who has logged in.

    Example: cli token list
    """
    shown = [_described(row) for row in installation.services().tokens.users.list()]
    if as_json:
        show_json({"users": shown})
    elif not shown:
        say("Nobody has logged in")
    else:
        show_list(_COLUMNS, [_cells(one) for one in shown])


@token.command()
@_user
@_as_json
@click.pass_obj
def refresh(installation: Installation, user: str, as_json: bool) -> None:
    """Renew the tokens of USER, an id or a login.

    Example: cli token refresh a_streamer
    """
    tokens = installation.services().tokens.users
    row = find_user(tokens, user)
    renewed = tokens.renewed_now(row.user_id)
    seconds = tokens.seconds_left(renewed.expires_at_ms)
    if as_json:
        show_json({"user_id": renewed.user_id, "login": renewed.login, "expires_in": seconds})
    else:
        say(f"The tokens of {renewed.login} are renewed, for {duration(seconds)}")


@token.command()
@_user
@_as_json
@click.pass_obj
def revoke(installation: Installation, user: str, as_json: bool) -> None:
    """Revoke the tokens of USER, an id or a login, at Twitch, and delete them here.

    Example: cli token revoke a_streamer
    """
    tokens = installation.services().tokens.users
    row = find_user(tokens, user)
    confirmed = tokens.forget(row.user_id)
    if as_json:
        show_json({"user_id": row.user_id, "login": row.login, "revoked_at_twitch": confirmed})
    elif confirmed:
        say(f"The tokens of {row.login} are revoked, and deleted here")
    else:
        say(f"The tokens of {row.login} are deleted here; Twitch did not confirm that it took them")


token.add_command(import_)


@token.command("rotate-keys")
@_as_json
@click.pass_obj
def rotate_keys(installation: Installation, as_json: bool) -> None:
    """Encrypt every stored token with the first key of TOKEN_ENCRYPTION_KEYS.

    Put the new key before the old one, run this while the service runs, then take the old one
    away. It can be interrupted, and run again.

    Example: cli token rotate-keys
    """
    services = installation.services()
    users = len(services.tokens.users.list())
    rotation = KeyRotation(services.base.database, services.base.vault)
    if as_json:
        show_json({"users": users, "changed": rotation.seal_anew()})
        return
    with console().status(f"Encrypting the tokens of {users} users ..."):
        changed = rotation.seal_anew()
    say(f"{changed} of {users} users' tokens were put under the first key")


def find_user(tokens: UserTokens, user: str) -> TokenRow:
    """What is stored for the user with this id or login. Raises NotFound."""
    for row in tokens.list():
        if user in (row.user_id, row.login) or user.lower() == row.login:
            return row
    raise NotFound(f"nobody has logged in as {user!r}")


def _described(row: TokenRow) -> dict[str, Any]:
    validated = row.validated_at_ms
    return {
        "login": row.login,
        "user_id": row.user_id,
        "status": row.status,
        "reason": row.reason,
        "scopes": row.scopes.split(),
        "expires_in": max(0, row.expires_at_ms // 1000 - int(time.time())),
        "last_validated_at": (
            datetime.fromtimestamp(validated // 1000, UTC).isoformat() if validated else None
        ),
    }


def _cells(shown: dict[str, Any]) -> tuple[Cell, ...]:
    return (
        (shown["login"], shown["user_id"]),
        shown["status"],
        str(len(shown["scopes"])),
        duration(shown["expires_in"]),
        shown["last_validated_at"] or "never",
    )
