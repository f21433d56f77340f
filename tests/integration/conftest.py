"""A database of the module's schema, on SQLite and on PostgreSQL."""

from pathlib import Path

import pytest

from apps.twitch_module.models.database import Database
from apps.twitch_module.models.migrations import migrate


@pytest.fixture
def database(db_uri: str, tmp_path: Path) -> Database:
    """An up-to-date, empty database."""
    database = Database(db_uri, tmp_path)
    migrate(database)
    return database
