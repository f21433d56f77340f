"""What was found: a table, the bars, and the same as JSON."""

import json
import os
import platform
import sqlite3
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .processes import ALL_CORES, REPOSITORY

RESULTS = Path(__file__).with_name("results.json")


# How a figure is shown, by its name; what is not here stands in the JSON file alone.
_SHOWN = {
    "per_second": "{:>8,.0f}/s",
    "best_per_second": "best {:,.0f}/s",
    "p50_ms": "p50 {:.2f} ms",
    "p99_ms": "p99 {:.2f} ms",
    "server_cpu_us": "CPU {:.0f} us",
    "beside_cpu_us": "PostgreSQL {:.0f} us",
    "worker_cpu_us": "CPU {:.0f} us",
    "load_busy": "load {:.0%}",
    "delivered_per_second": "delivers {:,.0f}/s",
    "seconds": "{:.2f} s",
    "gigabytes": "{:.1f} GB",
    "ready_mb": "ready {:.1f} MB",
    "warm_mb": "warm {:.1f} MB",
    "end_mb": "end {:.1f} MB",
    "x no-op": "{:.2f} of no-op",
    "x verify-only": "{:.2f} of verify-only",
    "x pyTwitchAPI": "{:.2f} of pyTwitchAPI",
    "HTTP 200": "{} answers",
    "HTTP 503": "{} refused (503)",
}


@dataclass
class Report:
    """Collects figures, and prints them as they come."""

    options: dict[str, Any]
    rows: list[dict[str, Any]] = field(default_factory=list)
    bars: list[dict[str, Any]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def begin(self, scenario: str) -> None:
        """The rows that follow belong to this scenario."""
        print(f"\n{scenario}", flush=True)
        self._scenario = scenario

    def add(self, subject: str, figures: dict[str, float]) -> None:
        """A row: what was measured, and its figures."""
        self.rows.append({"scenario": self._scenario, "subject": subject, **figures})
        shown = (_SHOWN[name].format(figures[name]) for name in _SHOWN if figures.get(name))
        print(f"  {subject:48} {'  '.join(shown)}", flush=True)

    def fail(self, error: Exception) -> None:
        """This scenario has come to nothing."""
        self.failed.append(f"{self._scenario}: {type(error).__name__}: {error}")
        print(f"  FAILED: {error}", flush=True)

    def judge(self, what: str, value: float, bar: float, goal: float) -> None:
        """A figure that has a bar to take; less is better where the goal is below the bar."""
        less = goal < bar
        verdict = "misses the bar"
        for limit, name in ((bar, "ok"), (goal, "goal")):
            if value <= limit if less else value >= limit:
                verdict = name
        self.bars.append(
            {"what": what, "value": value, "bar": bar, "goal": goal, "verdict": verdict}
        )

    def finish(self) -> None:
        """Print the bars."""
        print("\nBars")
        for one in self.bars:
            sign = "<=" if one["goal"] < one["bar"] else ">="
            limits = f"{sign} {one['bar']:<6g} goal {one['goal']:<6g}"
            print(f"  {one['what']:58} {one['value']:>9,.2f}  {limits} {one['verdict']}")

    def save(self) -> None:
        """Write bench/results.json."""
        found = {"about": _about(), **vars(self)}
        RESULTS.write_text(json.dumps(found, indent=2) + "\n")


def _about() -> dict[str, Any]:
    """When, on what, and what was measured."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "cores": len(ALL_CORES),
        "load_average": os.getloadavg(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
