"""Who is calling, and who may call what."""

from collections.abc import Set
from dataclasses import dataclass, field
from typing import Literal, get_args

Role = Literal["viewer", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)  # each may do what those before it may

Scope = Literal[
    "events:read",
    "activities:read",
    "activities:write",
    "channels:read",
    "channels:write",
    "subscriptions:read",
    "subscriptions:write",
    "tokens:read",
    "users:read",
]
SCOPES: tuple[Scope, ...] = get_args(Scope)

Kind = Literal["admin", "service", "cli", "system", "anonymous"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from; empty for what began inside."""

    address: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, for the audit log."""

    kind: Kind
    id: str = ""
    name: str = ""
    origin: Origin = Origin()


SYSTEM = Actor("system", name="system")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who has shown a valid access token: a person with a role, or a service with scopes."""

    actor: Actor
    session_id: str  # of the person's login; for services the id of their token
    role: Role | None = None
    scopes: Set[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may call a route: people from a role on, and services with a scope."""

    role: Role | None = None  # None: no person
    scope: Scope | None = None  # None: no service
    anyone: bool = False  # also without a token; the route itself asks for what it needs
    max_body_bytes: int = 64 * 1024

    def allows(self, caller: Caller) -> bool:
        """Whether this caller may."""
        if self.anyone:
            return True
        if caller.role is not None:
            return self.role is not None and ROLES.index(caller.role) >= ROLES.index(self.role)
        return self.scope is not None and self.scope in caller.scopes

    def wanted(self) -> str:
        """What a caller needs, in words."""
        wanted = [f"the role {self.role}"] if self.role else []
        wanted += [f"a service token with the scope {self.scope}"] if self.scope else []
        return " or ".join(wanted)
