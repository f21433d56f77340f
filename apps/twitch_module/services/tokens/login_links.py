"""The links by which streamers log in, and which scopes each asks for."""

from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlencode

from ...domain.events.catalogue import scopes_for


def scopes_to_ask_for(types: Iterable[str], further: Iterable[str]) -> list[str]:
    """Exactly what these event types need, and these scopes."""
    return sorted({group[0] for group in scopes_for(types)} | set(further))


class LoginLinks:
    """Asks for exactly what the event types need, and for what the operator adds."""

    def __init__(
        self,
        login_url: str,
        types_of: Callable[[str], Iterable[str]],
        usual_types: Iterable[str],
        further_scopes: Sequence[str],
    ) -> None:
        """`types_of` gives a channel's event types; of no channel (""), the usual ones."""
        self._login_url = login_url
        self._types_of = types_of
        self._further = further_scopes
        self._usual = set(scopes_to_ask_for(usual_types, further_scopes))

    def scopes(self, channel_id: str | None, event_type: str | None = None) -> list[str]:
        """What to ask a streamer for: what the channel's types need, and this one."""
        types = [*self._types_of(channel_id or ""), *([event_type] if event_type else [])]
        return scopes_to_ask_for(types, self._further)

    def url(self, channel_id: str, event_type: str) -> str:
        """The usual link, unless the channel's own types, or this one, need more."""
        needed, query = self.scopes(channel_id), {}
        if not self._usual.issuperset(needed):
            query["channel_id"] = channel_id
        if needed != self.scopes(channel_id, event_type):
            query["event_type"] = event_type
        return f"{self._login_url}?{urlencode(query)}" if query else self._login_url
