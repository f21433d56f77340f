"""Text from outside, made such that every database and every JSON reader takes it."""

from collections.abc import Sequence

MAX_CHARACTERS = 500  # of an id, a name or a reason that are kept; Twitch's own are below 100


def texts(values: Sequence[object]) -> Sequence[str]:
    """What `text` makes of each: quick where all of them are usual strings."""
    try:
        together = "".join(values)  # type: ignore[arg-type]  # raises for what is no string
    except TypeError:
        pass
    else:
        if together.isascii() and len(together) <= MAX_CHARACTERS and "\x00" not in together:
            return values  # type: ignore[return-value]  # strings, each of them
    return [text(value) for value in values]


def text(value: object) -> str:
    """A string or number of a payload as text that every database takes; "" for anything else.

    Ids are strings, but Twitch's own examples show numbers (so they are taken). A NUL, which
    PostgreSQL refuses, and half a surrogate pair, which no UTF-8 can hold, become U+FFFD.
    """
    if type(value) is int:
        if not 0 <= value < 10**30:
            return ""
        value = str(value)
    elif not isinstance(value, str):
        return ""
    value = value[:MAX_CHARACTERS]
    if "\x00" in value or not value.isascii():
        value = value.replace("\x00", "\ufffd")
        value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value
