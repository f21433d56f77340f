"""Which policies have been in force: noted once, however many processes start."""

from concurrent.futures import ThreadPoolExecutor

from apps.twitch_module.domain.points.policy import default_policy
from apps.twitch_module.domain.points.policy_reading import amended
from apps.twitch_module.models.database import Database
from apps.twitch_module.services.points.policy_runs import PolicyRuns

from ..rows import columns


def test_of_processes_that_start_at_once_one_notes_the_policy(database: Database) -> None:
    other = amended(default_policy(), {"follow": 5}, "points.toml")
    processes = [PolicyRuns(database, default_policy(), None) for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(PolicyRuns.note_policy, processes))
    PolicyRuns(database, other, None).note_policy()
    PolicyRuns(database, other, None).note_policy()

    noted = columns(database, "SELECT source, channel_id FROM twitch_policy_versions ORDER BY id")
    assert [("default", None), ("points.toml", None)] == noted
