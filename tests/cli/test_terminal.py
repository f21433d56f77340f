"""What is shown of a list: colours, and how wide it is."""

import pytest

from apps.twitch_module.commands.terminal import Column, person, show_list, status_text


@pytest.mark.parametrize(
    ("told", "style", "characters"),
    [
        ("ok", "green", 2),
        ("delivered", "green", 9),
        ("leased", "yellow", 6),
        ("ends soon", "yellow", 9),
        ("dead HTTP 422", "red", 4),
        ("needs_login", "red", 11),
        ("notification_failures_exceeded", "red", 30),
        ("authorization_revoked", "red", 21),
    ],
)
def test_a_status_has_the_colour_of_its_word_and_the_word_stays(
    told: str, style: str, characters: int
) -> None:
    text = status_text(told)

    assert text.plain == told
    assert [(0, characters, style)] == [(one.start, one.end, one.style) for one in text.spans]


@pytest.mark.parametrize("told", ["", "unscored", "skipped", "whatever Twitch adds"])
def test_an_indifferent_or_unknown_status_has_none(told: str) -> None:
    assert status_text(told).spans == []


@pytest.mark.parametrize(
    ("name", "person_id", "shown"),
    [("a_name", "1", "a_name (1)"), (None, "1", "1"), ("a_name", None, "a_name"), (None, None, "")],
)
def test_an_id_stands_behind_its_name(name: str | None, person_id: str | None, shown: str) -> None:
    assert person(name, person_id) == shown


def test_in_a_pipe_every_word_has_its_column_and_what_is_missing_is_a_dash(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    columns = ("id", Column("time", "time"), Column("user", "person"), Column("why", "prose"))
    reason = "because " * 50
    show_list(
        columns, [("1", "2026-01-31T12:00:00Z", (None, "7"), reason), ("2", None, ("x", ""), None)]
    )
    head, first, second = capsys.readouterr().out.splitlines()

    assert head.split() == ["id", "day", "time", "user", "user_id", "why"]
    assert first.split()[:5] == ["1", "2026-01-31", "12:00:00Z", "-", "7"]
    assert first.endswith(reason.strip())
    assert second.split() == ["2", "-", "-", "x", "-", "-"]
    assert "\x1b" not in head + first + second
