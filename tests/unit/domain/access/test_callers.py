"""domain/access/callers.py: who may call what."""

import pytest

from apps.twitch_module.domain.access.callers import SCOPES, Actor, Caller, Role, Rule

VIEWER, ADMIN = (Caller(Actor("admin"), "s", role=role) for role in ("viewer", "admin"))
SERVICE = Caller(Actor("service"), "1", scopes=frozenset({"events:read"}))


@pytest.mark.parametrize(
    ("rule", "viewer", "admin", "service"),
    [
        (Rule(), False, False, False),
        (Rule(anyone=True), True, True, True),
        (Rule("admin"), False, True, False),
        (Rule("viewer"), True, True, False),
        (Rule("admin", "events:read"), False, True, True),
        (Rule("viewer", "events:read"), True, True, True),
        (Rule("viewer", "tokens:read"), True, True, False),
        (Rule(None, "events:read"), False, False, True),
    ],
)
def test_people_need_a_role_and_services_a_scope(
    rule: Rule, viewer: bool, admin: bool, service: bool
) -> None:
    assert [rule.allows(one) for one in (VIEWER, ADMIN, SERVICE)] == [viewer, admin, service]


@pytest.mark.parametrize("role", ["viewer", "admin"])
def test_a_service_with_all_scopes_is_no_person(role: Role) -> None:
    assert not Rule(role).allows(Caller(Actor("service"), "1", scopes=frozenset(SCOPES)))


def test_a_persons_scopes_count_for_nothing() -> None:
    caller = Caller(Actor("admin"), "s", role="viewer", scopes=frozenset(SCOPES))

    assert not Rule("admin", "tokens:read").allows(caller)


def test_what_is_wanted_is_told() -> None:
    assert Rule("admin", "tokens:read").wanted() == (
        "the role admin or a service token with the scope tokens:read"
    )
