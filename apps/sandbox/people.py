"""The users of the sandbox's Twitch: one streamer, those who watch, one who raids."""

import threading
from dataclasses import dataclass


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


class People:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_id = {person.id: person for person in FIRST_PEOPLE}
        self._next_id = 400500601

    def add(self, login: str, display_name: str, person_id: str | None = None) -> Person:
        """A new user; ValueError when the login or the id belongs to somebody already."""
        with self._lock:
            taken = {person.login for person in self._by_id.values()}
            if person_id is None:
                person_id = str(self._next_id)
                self._next_id += 1
            if login.lower() in taken or person_id in self._by_id:
                raise ValueError("a user with this id or login exists")
            person = Person(person_id, login.lower(), display_name)
            self._by_id[person_id] = person
            return person

    def all(self) -> list[Person]:
        with self._lock:
            return list(self._by_id.values())

    def get(self, person_id: str) -> Person | None:
        with self._lock:
            return self._by_id.get(person_id)

    def by_login(self, login: str) -> Person | None:
        return next((one for one in self.all() if one.login == login.lower()), None)

    def viewer(self) -> Person:
        """Whoever does something when nobody was named."""
        return FIRST_PEOPLE[1]

    def raider(self) -> Person:
        return FIRST_PEOPLE[3]
