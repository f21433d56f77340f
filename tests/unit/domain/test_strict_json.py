"""domain/strict_json.py: what is taken as the body of a call, and what is not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.twitch_module.domain.strict_json import MAX_DEPTH, NotStrict, read_object


def nested(levels: int, opening: str = '{"a":', closing: str = "}") -> bytes:
    """An object with so many levels, itself among them."""
    return ('{"a":' + opening * (levels - 2) + "{}" + closing * (levels - 2) + "}").encode()


def test_32_levels_are_taken_and_one_more_is_not() -> None:
    assert read_object(nested(MAX_DEPTH))
    with pytest.raises(NotStrict, match="nested"):
        read_object(nested(MAX_DEPTH + 1))


def test_lists_count_as_levels() -> None:
    with pytest.raises(NotStrict, match="nested"):
        read_object(nested(MAX_DEPTH + 1, "[", "]"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"[1]",
        b'"text"',
        b"1",
        b"null",
        b"true",
        b"\xff",
        b"\x00",
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": [-1e999]}',
        b'{"a": 1, "a": 1}',
        b'{"b": {"a": 1, "\\u0061": 2}}',
        b'{"a": "\\u0000"}',
        b'{"a": ["\\ud800"]}',
        b'{"\\u0000": 1}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a": 1} {"b": 2}',
    ],
    ids=lambda body: repr(body[:16]),
)
def test_what_is_not_one_plain_object_is_refused(body: bytes) -> None:
    with pytest.raises(NotStrict):
        read_object(body)


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text("abc"), _VALUES))
def test_every_plain_object_is_read_as_json_reads_it(value: dict[str, Any]) -> None:
    assert read_object(json.dumps(value).encode()) == value


@given(st.binary(max_size=200))
def test_no_bytes_break_it(body: bytes) -> None:
    try:
        value = read_object(body)
    except NotStrict:
        return
    assert isinstance(value, dict)
