"""The users of the sandbox's Twitch: one streamer, those who watch, one who raids."""

import threading
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Person:
    id: str
    login: str
    display_name: str
    # "streamer" has a channel of its own, "viewer" only watches.
    role: str = "viewer"


STREAMER = Person("100200300", "sandbox_streamer", "Sandbox Streamer", "streamer")
FIRST_PEOPLE = (
    STREAMER,
    Person("200300401", "quiet_heron", "Quiet_Heron"),
    Person("200300402", "lumen42", "Lumen42"),
    Person("300400500", "harbour_radio", "Harbour_Radio", "streamer"),
)

# What the streamer has granted to every client before anybody logs in: what the default event
# types need, so that the demo works without a login.
FIRST_GRANTS = {
    STREAMER.id: frozenset(
        {
            "bits:read",
            "channel:moderate",
            "channel:read:subscriptions",
            "moderator:read:followers",
        }
    )
}


class People:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_id = {person.id: person for person in FIRST_PEOPLE}
        self._id_of_login = {person.login: person.id for person in FIRST_PEOPLE}
        self._next_id = 400500601

    def add(self, login: str, display_name: str, person_id: str | None = None) -> Person:
        """A new user; ValueError when the login or the id belongs to somebody already."""
        with self._lock:
            if person_id is None:
                person_id = self._free_id()
            if login.lower() in self._id_of_login or person_id in self._by_id:
                raise ValueError(f"a user with this id or login exists: {login}")
            person = Person(person_id, login.lower(), display_name)
            self._keep(person)
            return person

    def rename(self, person_id: str, login: str, display_name: str) -> Person | None:
        """The user under its new names, or None when there is no such user; ValueError when
        the login is somebody else's."""
        with self._lock:
            person = self._by_id.get(person_id)
            if person is None:
                return None
            if self._id_of_login.get(login.lower(), person_id) != person_id:
                raise ValueError(f"a user with this login exists: {login}")
            del self._id_of_login[person.login]
            person = replace(person, login=login.lower(), display_name=display_name)
            self._keep(person)
            return person

    def remove(self, person_id: str) -> bool:
        """Whether there was such a user. Its login is free then."""
        with self._lock:
            person = self._by_id.pop(person_id, None)
            if person is not None:
                del self._id_of_login[person.login]
            return person is not None

    def all(self) -> list[Person]:
        with self._lock:
            return list(self._by_id.values())

    def get(self, person_id: str) -> Person | None:
        with self._lock:
            return self._by_id.get(person_id)

    def by_login(self, login: str) -> Person | None:
        with self._lock:
            person_id = self._id_of_login.get(login.lower())
            return self._by_id[person_id] if person_id else None

    def viewer(self) -> Person:
        """Whoever does something when nobody was named."""
        return self._current(FIRST_PEOPLE[1])

    def raider(self) -> Person:
        return self._current(FIRST_PEOPLE[3])

    def _current(self, person: Person) -> Person:
        """As it is called now; a test may have renamed it."""
        return self.get(person.id) or person

    def _keep(self, person: Person) -> None:
        self._by_id[person.id] = person
        self._id_of_login[person.login] = person.id

    def _free_id(self) -> str:
        while str(self._next_id) in self._by_id:
            self._next_id += 1
        self._next_id += 1
        return str(self._next_id - 1)
