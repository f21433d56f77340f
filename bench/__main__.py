"""`make bench`: how fast the module is, beside others on the same machine in the same run.

The server has one core and the load another. See RESULTS.md for what was found, and the
Makefile for ROWS, SCENARIOS, ROUNDS, SCALE and BENCH_DIR.
"""

import os
import signal
import sys
import time
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of a missing XDG_RUNTIME_DIR, at an import
    from .installation import workshop

from apps.twitch_module.logs import configure_logs

from .processes import ALL_CORES, LOAD_CORE, on_cores
from .report import Report
from .scenarios import SCENARIOS, Run


def main() -> None:
    """Measure, print a table, and write bench/results.json."""
    names = os.environ.get("SCENARIOS", "").replace(",", " ").split() or list(SCENARIOS)
    if unknown := set(names) - set(SCENARIOS):
        sys.exit(f"There is no scenario {', '.join(sorted(unknown))}; there are {[*SCENARIOS]}")
    if len(ALL_CORES) < 2:
        sys.exit("Two cores are needed: one for the server, one for the load")
    # What it has started is ended, and its folder deleted, however it ends.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit("stopped"))
    configure_logs("ERROR")
    rows, rounds = int(os.environ.get("ROWS") or 5_000_000), int(os.environ.get("ROUNDS") or 5)
    scale = float(os.environ.get("SCALE") or 1)
    report = Report({"scenarios": names, "rows": rows, "rounds": rounds, "scale": scale})
    began = time.monotonic()
    with workshop() as place, on_cores({LOAD_CORE}):
        run = Run(place, report, rounds, rows, scale)
        for name in names:
            report.begin(name)
            try:
                SCENARIOS[name](run)
            except (AssertionError, OSError) as error:  # the others are of use all the same
                report.fail(error)
            report.save()
    report.finish()
    print(f"\n{(time.monotonic() - began) / 60:.0f} minutes")
    sys.exit(bool(report.failed))


if __name__ == "__main__":
    main()
