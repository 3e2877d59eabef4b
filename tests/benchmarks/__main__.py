"""How fast, how big, how reliable? `make bench`, or `make bench ARGS="steady storm"` for some."""

import signal
import sys
import time
from collections.abc import Callable

from tests.benchmarks import (
    batches,
    big,
    changes,
    clicks,
    cost,
    crashes,
    ingest,
    modals,
    outage,
    refusals,
    side_by_side,
    steady,
    storm,
    timers,
)
from tests.benchmarks.lab import Lab, lab

LOADS: dict[str, Callable[[Lab], None]] = {
    "steady": steady.run,
    "storm": storm.run,
    "changes": changes.run,
    "ingest": ingest.run,
    "batches": batches.run,
    "clicks": clicks.run,
    "modals": modals.run,
    "refusals": refusals.run,
    "timers": timers.run,
    "cost": cost.run,
    "outage": outage.run,
    "big": big.run,
    "crashes": crashes.run,
    "side_by_side": side_by_side.run,
}


def main(names: list[str]) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the lab ends its processes
    unknown = set(names) - set(LOADS)
    if unknown:
        sys.exit(f"There is no load {', '.join(sorted(unknown))}; there are {', '.join(LOADS)}.")
    for name in names or LOADS:
        print(f"{name}: {(sys.modules[LOADS[name].__module__].__doc__ or '').strip()}", flush=True)
        begun = time.monotonic()
        with lab() as here:  # each on empty tables, so that one does not slow down the next
            LOADS[name](here)
        print(f"  ({time.monotonic() - begun:.0f} s)", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
