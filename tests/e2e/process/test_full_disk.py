"""A disk that is full for a while: webhooks are refused meanwhile, and nothing is lost or stuck."""

import json
import subprocess
import sys
from pathlib import Path

from tests.processes import REPOSITORY, clean_environment


def test_all_goes_on_once_there_is_room_again(tmp_path: Path) -> None:
    namespace = ["unshare", "--map-root-user", "--mount", sys.executable]
    done = subprocess.run(
        [*namespace, "-m", "tests.e2e.process.full_disk", str(tmp_path)],
        cwd=REPOSITORY,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert 0 == done.returncode, done.stderr
    result = json.loads(done.stdout)
    assert result.pop("refused while full") > 0
    nothing_amiss = {"lost": 0, "without effect": 0, "integrity": "ok", "process": None}
    assert result == nothing_amiss
