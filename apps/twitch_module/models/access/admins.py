"""The admins, and their sessions: a login, and the refresh tokens that descend from it."""

from dataclasses import dataclass

from ...domain.access.callers import Role
from ..transaction import Transaction

SESSION_MS = 7 * 24 * 60 * 60 * 1000  # from the login on, however often it is refreshed

_USER = "id, username, password_hash, configured_hash, role, is_active, created_at_ms"


@dataclass(frozen=True, slots=True)
class User:
    """An admin or viewer."""

    id: int
    username: str
    password_hash: str
    configured_hash: str | None
    role: Role
    is_active: int
    created_at_ms: int


@dataclass(frozen=True, slots=True)
class Session:
    """A session and whose it is. It is alive while it has not ended and its user is active."""

    session_id: str
    user_id: int
    username: str
    role: Role
    is_active: int
    expires_at_ms: int
    ended_at_ms: int | None

    @property
    def is_alive(self) -> bool:
        """Whether nobody has ended it; its time may be over all the same."""
        return self.ended_at_ms is None and bool(self.is_active)


def get_by_name(transaction: Transaction, username: str) -> User | None:
    """The user of this name (normal form), or None."""
    rows = transaction.select(f"SELECT {_USER} FROM admin_users WHERE username = %s", [username])
    return User(**rows[0]) if rows else None


def list_all(transaction: Transaction) -> list[User]:
    """Everybody, by name."""
    rows = transaction.select(f"SELECT {_USER} FROM admin_users ORDER BY username")
    return [User(**row) for row in rows]


def insert(
    transaction: Transaction, username: str, password_hash: str, role: Role, configured: str | None
) -> int | None:
    """Write a new user; the id, or None when there is one of this name."""
    now = transaction.now_ms()
    rows = transaction.execute(
        "INSERT INTO admin_users (username, password_hash, configured_hash, role, is_active,"
        " created_at_ms, changed_at_ms) VALUES (%s, %s, %s, %s, 1, %s, %s)"
        " ON CONFLICT (username) DO NOTHING RETURNING id",
        [username, password_hash, configured, role, now, now],
    )
    return int(rows[0][0]) if rows else None


def update(
    transaction: Transaction, user: User, *, role: Role | None = None, is_active: bool | None = None
) -> None:
    """Change what is given."""
    transaction.execute(
        "UPDATE admin_users SET role = coalesce(%s, role), is_active = coalesce(%s, is_active),"
        " changed_at_ms = %s WHERE id = %s",
        [role, None if is_active is None else int(is_active), transaction.now_ms(), user.id],
    )


def replace_password(transaction: Transaction, user: User, password_hash: str) -> bool:
    """Put another hash in place of the one that was read; False when it is gone already."""
    return bool(
        transaction.execute(
            "UPDATE admin_users SET password_hash = %s, changed_at_ms = %s"
            " WHERE id = %s AND password_hash = %s RETURNING id",
            [password_hash, transaction.now_ms(), user.id, user.password_hash],
        )
    )


def note_configured(transaction: Transaction, user: User, configured_hash: str) -> bool:
    """Note which ADMIN_PASSWORD was applied; False when another process has done that."""
    return bool(
        transaction.execute(
            "UPDATE admin_users SET configured_hash = %s"
            " WHERE id = %s AND coalesce(configured_hash, '') = %s RETURNING id",
            [configured_hash, user.id, user.configured_hash or ""],
        )
    )


def begin_session(
    transaction: Transaction, user: User, session_id: str, token_hash: str, customer: str
) -> None:
    """Begin a session of seven days, and forget those whose time is over."""
    now = transaction.now_ms()
    for table in ("admin_refresh_tokens", "admin_sessions"):
        transaction.execute(
            f"DELETE FROM {table} WHERE session_id IN"
            " (SELECT session_id FROM admin_sessions WHERE expires_at_ms <= %s)",
            [now],
        )
    transaction.execute(
        "INSERT INTO admin_sessions (session_id, user_id, customer, created_at_ms, used_at_ms,"
        " expires_at_ms) VALUES (%s, %s, %s, %s, %s, %s)",
        [session_id, user.id, customer, now, now, now + SESSION_MS],
    )
    add_refresh_token(transaction, session_id, token_hash)


def get_session(transaction: Transaction, session_id: str) -> Session | None:
    """A session with its user, or None."""
    rows = transaction.select(
        "SELECT s.session_id, s.user_id, u.username, u.role, u.is_active, s.expires_at_ms,"
        " s.ended_at_ms FROM admin_sessions s JOIN admin_users u ON u.id = s.user_id"
        " WHERE s.session_id = %s",
        [session_id],
    )
    return Session(**rows[0]) if rows else None


def has_logged_in_from(transaction: Transaction, username: str, customer: str) -> bool:
    """Whether the user has logged in from there within the last seven days."""
    return bool(
        transaction.execute(
            "SELECT 1 FROM admin_sessions s JOIN admin_users u ON u.id = s.user_id"
            " WHERE u.username = %s AND s.customer = %s AND s.created_at_ms > %s LIMIT 1",
            [username, customer, transaction.now_ms() - SESSION_MS],
        )
    )


def add_refresh_token(transaction: Transaction, session_id: str, token_hash: str) -> None:
    """Keep the one token with which a session can be refreshed next."""
    transaction.execute(
        "INSERT INTO admin_refresh_tokens (token_hash, session_id, created_at_ms)"
        " VALUES (%s, %s, %s)",
        [token_hash, session_id, transaction.now_ms()],
    )


def use_refresh_token(transaction: Transaction, token_hash: str) -> bool:
    """Use a token up; False when it was used before. Of many callers at once one gets True."""
    return bool(
        transaction.execute(
            "UPDATE admin_refresh_tokens SET used_at_ms = %s"
            " WHERE token_hash = %s AND used_at_ms IS NULL RETURNING id",
            [transaction.now_ms(), token_hash],
        )
    )


def session_of(transaction: Transaction, token_hash: str) -> Session | None:
    """The session that a refresh token belongs to, used or not; None for an unknown one."""
    rows = transaction.execute(
        "SELECT session_id FROM admin_refresh_tokens WHERE token_hash = %s", [token_hash]
    )
    return get_session(transaction, rows[0][0]) if rows else None


def note_refresh(transaction: Transaction, session_id: str) -> None:
    """Note that a session was refreshed now."""
    transaction.execute(
        "UPDATE admin_sessions SET used_at_ms = %s WHERE session_id = %s",
        [transaction.now_ms(), session_id],
    )


def end_session(transaction: Transaction, session_id: str, reason: str) -> bool:
    """End a session; False when it had ended."""
    return bool(
        transaction.execute(
            "UPDATE admin_sessions SET ended_at_ms = %s, end_reason = %s"
            " WHERE session_id = %s AND ended_at_ms IS NULL RETURNING id",
            [transaction.now_ms(), reason, session_id],
        )
    )


def end_sessions(transaction: Transaction, user: User, reason: str) -> int:
    """End all sessions of a user; how many there were."""
    ended = transaction.execute(
        "UPDATE admin_sessions SET ended_at_ms = %s, end_reason = %s"
        " WHERE user_id = %s AND ended_at_ms IS NULL RETURNING id",
        [transaction.now_ms(), reason, user.id],
    )
    return len(ended)
