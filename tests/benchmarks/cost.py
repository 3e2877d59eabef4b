"""What does it cost to show 1,000 alerts, PostgreSQL included, and does memory stay flat?"""

import os
import time

from tests.benchmarks import figures
from tests.benchmarks.lab import Lab

ALERTS = 1000
STEADY_MINUTES = float(os.environ.get("STEADY_MINUTES", "2"))


def run(lab: Lab) -> None:
    keys = [lab.source(channel) for channel in lab.channels(10)]
    lab.control("admin/switch", rate_limits=False)
    for number in range(50):
        lab.send(keys[number % len(keys)], f"warm up {number}")
    lab.until(lambda: lab.represented()[0] == 50, "the first are shown")
    before = lab.cpu_seconds()
    for number in range(ALERTS):
        lab.send(keys[number % len(keys)], f"cost {number:04d}")
    lab.until(lambda: lab.represented()[0] == 50 + ALERTS, "all are shown", 300)
    used = {name: value - before[name] for name, value in lab.cpu_seconds().items()}
    ours = sum(value for name, value in used.items() if name != "sandbox")
    parts = ", ".join(f"{name} {value:.1f}" for name, value in used.items())
    figures.say(f"{ours:.1f} CPU-seconds per {ALERTS} alerts shown ({parts})", "≤ 5")
    _memory(lab, keys)


def _memory(lab: Lab, keys: list[str]) -> None:
    first = lab.memory()
    until, number = time.monotonic() + 60 * STEADY_MINUTES, 0
    while time.monotonic() < until:
        lab.send(keys[number % len(keys)], f"steady {number}")
        number += 1
        time.sleep(0.2)
    last = lab.memory()
    figures.say(
        f"memory in MB, then and after {STEADY_MINUTES:.0f} minutes: {first} {last}", "≤ 150"
    )
