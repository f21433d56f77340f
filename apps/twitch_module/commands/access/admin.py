"""`admin`: the people who may log in, in this installation's database."""

import os
import pwd
from typing import Any

import click

from ...domain.access.callers import ROLES, Actor, Role
from ...domain.access.credentials import normal_username
from ...models.access.admins import User
from ..group import Group
from ..installation import Installation
from ..remote import ask_password, password_from_stdin
from ..terminal import Cell, Column, say, show_json, show_list
from ..times import from_ms

_COLUMNS = ("name", "role", Column("state", "status"), Column("created", "time"))

_name = click.argument("name")
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
_password_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)


@click.group(cls=Group, short_help="Who may log in: create, change, disable.")
def admin() -> None:
    """The people who may log in. Works on this installation's database, also while it runs.

    Example: cli admin create alice
    """


@admin.command()
@_name
@click.option("--role", type=click.Choice(ROLES), default="admin", show_default=True)
@_password_stdin
@_as_json
@click.pass_obj
def create(
    installation: Installation, name: str, role: Role, password_stdin: bool, as_json: bool
) -> None:
    """Let somebody log in. Asks for the password.

    Example: cli admin create alice --role viewer
    """
    users = installation.services().access.admin_users
    password = _password(name, password_stdin)
    user = users.create(name, password, role, whoever_types())
    if as_json:
        show_json({"user": _described(user)})
    else:
        say(f"{user.username} can log in, as {user.role}")


@admin.command("list")
@_as_json
@click.pass_obj
def list_(installation: Installation, as_json: bool) -> None:
    """Everybody, by name.

    Example: cli admin list
    """
    found = [_described(user) for user in installation.services().access.admin_users.list()]
    if as_json:
        show_json({"users": found})
    elif not found:
        say("Nobody can log in yet. Create an admin: cli admin create NAME")
    else:
        show_list(_COLUMNS, [_cells(one) for one in found])


@admin.command()
@_name
@_password_stdin
@_as_json
@click.pass_obj
def password(installation: Installation, name: str, password_stdin: bool, as_json: bool) -> None:
    """Give somebody another password. Ends all sessions of that name.

    Example: cli admin password alice
    """
    users = installation.services().access.admin_users
    users.set_password(name, _password(name, password_stdin), whoever_types())
    _tell(installation, name, as_json, "has another password; all sessions are ended")


@admin.command()
@_name
@click.argument("role", type=click.Choice(ROLES))
@_as_json
@click.pass_obj
def role(installation: Installation, name: str, role: Role, as_json: bool) -> None:
    """Make somebody a viewer or an admin.

    Example: cli admin role alice viewer
    """
    installation.services().access.admin_users.set_role(name, role, whoever_types())
    _tell(installation, name, as_json, f"is {role} from now on")


@admin.command()
@_name
@_as_json
@click.pass_obj
def enable(installation: Installation, name: str, as_json: bool) -> None:
    """Let somebody log in again.

    Example: cli admin enable alice
    """
    installation.services().access.admin_users.set_active(name, True, whoever_types())
    _tell(installation, name, as_json, "can log in")


@admin.command()
@_name
@_as_json
@click.pass_obj
def disable(installation: Installation, name: str, as_json: bool) -> None:
    """Let somebody in no more. Ends all sessions of that name.

    Example: cli admin disable alice
    """
    installation.services().access.admin_users.set_active(name, False, whoever_types())
    _tell(installation, name, as_json, "cannot log in any more; all sessions are ended")


def whoever_types() -> Actor:
    """The user of this machine, for the audit log."""
    user_id = os.getuid()
    try:
        name = pwd.getpwuid(user_id).pw_name
    except KeyError:  # in a container, say
        name = f"uid {user_id}"
    return Actor("cli", str(user_id), name)


def _password(name: str, from_stdin: bool) -> str:
    return password_from_stdin() if from_stdin else ask_password(f"Password of {name}", twice=True)


def _tell(installation: Installation, name: str, as_json: bool, told: str) -> None:
    if as_json:
        users = installation.services().access.admin_users.list()
        (user,) = [user for user in users if user.username == normal_username(name)]
        show_json({"user": _described(user)})
    else:
        say(f"{name} {told}")


def _described(user: User) -> dict[str, Any]:
    return {
        "username": user.username,
        "role": user.role,
        "is_active": bool(user.is_active),
        "created_at": from_ms(user.created_at_ms),
    }


def _cells(one: dict[str, Any]) -> tuple[Cell, ...]:
    state = "active" if one["is_active"] else "disabled"
    return one["username"], one["role"], state, one["created_at"]
