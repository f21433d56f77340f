"""The admins themselves: for the command line, and for ADMIN_USERNAME and ADMIN_PASSWORD."""

import builtins

import structlog

from ...domain.access.callers import SYSTEM, Actor, Role
from ...domain.access.credentials import normal_username, password_fault
from ...errors import Conflict, Invalid, NotFound
from ...models.access import admins, audit
from ...models.access.admins import User
from ...models.database import Database
from ...models.transaction import Transaction
from .passwords import Passwords

log = structlog.get_logger("admin_users")


class AdminUsers:
    """Creates and changes users; every change is in the audit log. Thread-safe; blocks.

    A change of password, and disabling, end all sessions of the user in the same commit.
    """

    def __init__(self, database: Database, passwords: Passwords) -> None:
        self._database = database
        self._passwords = passwords

    def list(self) -> builtins.list[User]:
        """Everybody, by name."""
        with self._database.transaction(write=False) as transaction:
            return admins.list_all(transaction)

    def create(self, username: str, password: str, role: Role, actor: Actor) -> User:
        """A new user. Raises Invalid for a name or password that cannot be, and Conflict."""
        name = _name(username)
        _check_password(password, name)
        password_hash = self._passwords.hash(password)
        with self._database.transaction() as transaction:
            if not _insert(transaction, name, password_hash, role, None, actor):
                raise Conflict(f"There is a user {name!r} already", code="user_exists")
            return _existing(transaction, name)

    def set_password(self, username: str, password: str, actor: Actor) -> None:
        """Give a user another password, and end his sessions. Raises Invalid and NotFound."""
        name = _name(username)
        _check_password(password, name)
        password_hash = self._passwords.hash(password)
        with self._database.transaction() as transaction:
            _change_password(transaction, _existing(transaction, name), password_hash, actor)

    def set_active(self, username: str, active: bool, actor: Actor) -> None:
        """Enable a user, or disable him and end his sessions. Raises NotFound and Conflict."""
        with self._database.transaction() as transaction:
            user = _existing(transaction, _name(username))
            if not active:
                _refuse_last_admin(transaction, user)
            admins.update(transaction, user, is_active=active)
            if not active:
                admins.end_sessions(transaction, user, "disabled")
            audit.record(
                transaction,
                actor,
                "user.enable" if active else "user.disable",
                f"user:{user.username}",
                before={"is_active": bool(user.is_active)},
                after={"is_active": active},
            )

    def set_role(self, username: str, role: Role, actor: Actor) -> None:
        """Give a user another role; it holds from his next request. Raises as set_active."""
        with self._database.transaction() as transaction:
            user = _existing(transaction, _name(username))
            if role != "admin":
                _refuse_last_admin(transaction, user)
            admins.update(transaction, user, role=role)
            audit.record(
                transaction,
                actor,
                "user.role",
                f"user:{user.username}",
                before={"role": user.role},
                after={"role": role},
            )

    def provide(self, username: str, password: str) -> None:
        """See to it that the configured admin can log in. For the start; safe for many at once.

        A password that was applied before is not applied again: one that was set since by the
        command line stays. Changing it in the configuration applies it and ends the sessions.
        """
        name = _name(username)
        with self._database.transaction(write=False) as transaction:
            user = admins.get_by_name(transaction, name)
        if user is not None and user.configured_hash is not None:
            if self._passwords.verify(user.configured_hash, password):
                return
        elif user is not None and self._passwords.verify(user.password_hash, password):
            with self._database.transaction() as transaction:
                admins.note_configured(transaction, user, user.password_hash)
            return
        password_hash = self._passwords.hash(password)
        with self._database.transaction() as transaction:
            if user is None:
                _insert(transaction, name, password_hash, "admin", password_hash, SYSTEM)
            elif admins.note_configured(transaction, user, password_hash):
                current = _existing(transaction, name)
                _change_password(transaction, current, password_hash, SYSTEM)


def _insert(
    transaction: Transaction,
    name: str,
    password_hash: str,
    role: Role,
    configured: str | None,
    actor: Actor,
) -> bool:
    user_id = admins.insert(transaction, name, password_hash, role, configured)
    if user_id is None:
        return False
    audit.record(transaction, actor, "user.create", f"user:{name}", after={"role": role})
    log.info("user created", user=name, role=role)
    return True


def _change_password(
    transaction: Transaction, user: User, password_hash: str, actor: Actor
) -> None:
    if not admins.replace_password(transaction, user, password_hash):
        raise Conflict("The password is being changed by somebody else")
    ended = admins.end_sessions(transaction, user, "password")
    audit.record(
        transaction,
        actor,
        "user.password",
        f"user:{user.username}",
        after={"sessions_ended": ended},
    )
    log.info("password changed", user=user.username, sessions_ended=ended)


def _refuse_last_admin(transaction: Transaction, user: User) -> None:
    others = [
        other
        for other in admins.list_all(transaction)
        if other.id != user.id and other.role == "admin" and other.is_active
    ]
    if user.role == "admin" and user.is_active and not others:
        raise Conflict("This is the last admin who can log in", code="last_admin")


def _existing(transaction: Transaction, name: str) -> User:
    user = admins.get_by_name(transaction, name)
    if user is None:
        raise NotFound(f"There is no user {name!r}")
    return user


def _name(username: str) -> str:
    name = normal_username(username)
    if name is None:
        raise Invalid("username: must be 1 to 100 printable characters")
    return name


def _check_password(password: str, username: str) -> None:
    fault = password_fault(password, username)
    if fault is not None:
        raise Invalid(f"password: {fault}")
