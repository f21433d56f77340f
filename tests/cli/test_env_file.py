"""`.env` keeps what it holds, and gives back what was written into it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.twitch_module.commands.env_file import change, changed, quoted, read
from apps.twitch_module.errors import ConfigurationError

VALUES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)


def written(path: Path, text: str) -> dict[str, str]:
    path.write_bytes(text.encode())
    return read(path)


@given(value=VALUES)
def test_every_value_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, value: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.env"

    assert {"A": value, "B": "b"} == written(path, changed("B=b", {"A": value}))


@pytest.mark.parametrize(
    "value", ["a$b", "${HOME}", "a#b", "a #b", "'", '"', "\\", "\\'", " a b ", "`x`", "a=b", "é"]
)
def test_the_characters_that_mean_something_come_back(tmp_path: Path, value: str) -> None:
    assert {"A": value} == written(tmp_path / ".env", changed("A=old\n", {"A": value}))


def test_plain_values_are_not_quoted() -> None:
    assert "https://bot.example:443/a?b=%20" not in quoted("x y")
    assert "https://bot.example:443/a_b-c%20" == quoted("https://bot.example:443/a_b-c%20")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "A=new\n"),
        ("A=old", "A=new"),
        ("A=old\n", "A=new\n"),
        ("A=old\r\nB=b\r\n", "A=new\r\nB=b\r\n"),
        ("# A=1\n\nA=old # why\nB=b", "# A=1\n\nA=new # why\nB=b"),
        ("export A='o#ld' # why\n", "export A=new # why\n"),
        ('A="two\nlines" # why\nB=b\n', "A=new # why\nB=b\n"),
        ("A=first\nB=b\nA=last\n", "A=first\nB=b\nA=new\n"),
        ("A\nB=b\n", "A=new\nB=b\n"),
        ("A=\n", "A=new\n"),
        ("  A = old\n", "  A=new\n"),
        ("AA=old\nB=b", "AA=old\nB=b\nA=new\n"),
        ("what is this\nB=b\n", "what is this\nB=b\nA=new\n"),
    ],
)
def test_a_value_is_replaced_and_nothing_else(before: str, after: str) -> None:
    assert after == changed(before, {"A": "new"})


def test_the_file_is_for_its_owner_only_and_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.env", tmp_path / ".env"
    real.write_text("B=b\n")
    real.chmod(0o644)
    link.symlink_to(real)
    change(link, {"A": "a"})

    assert link.is_symlink()
    assert 0o600 == real.stat().st_mode & 0o777
    assert "B=b\nA=a\n" == real.read_text()
    assert [".env", "real.env"] == sorted(path.name for path in tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_named_and_left(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"A=\xff\n")

    with pytest.raises(ConfigurationError, match="not UTF-8"):
        change(path, {"A": "a"})
    with pytest.raises(ConfigurationError, match="cannot be written"):
        change(tmp_path / "nowhere" / ".env", {"A": "a"})
    assert b"A=\xff\n" == path.read_bytes()
    assert {} == read(path)
