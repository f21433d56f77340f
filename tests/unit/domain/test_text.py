"""domain/text.py: many at once are what each is by itself."""

from hypothesis import example, given
from hypothesis import strategies as st

from apps.twitch_module.domain.text import MAX_CHARACTERS, text, texts

ANYTHING = st.one_of(st.text(), st.integers(), st.none(), st.booleans(), st.lists(st.text()))


@given(st.lists(ANYTHING, max_size=5))
@example(["12345", "a_login", "A_Name"])
@example(["1", "nul\x00", "a"])
@example(["half \ud800", "a"])
@example([7001, "a_login", None])
@example(["x" * MAX_CHARACTERS, "y"])
@example(["x" * (MAX_CHARACTERS + 1)])
def test_texts_are_what_text_makes_of_each(values: list[object]) -> None:
    assert [text(value) for value in values] == list(texts(values))
