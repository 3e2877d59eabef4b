"""How soon is everything shown once Slack is back, and do senders notice that it was away?

Five outages: each begins at another moment of the traffic, looks different, and ends at another
moment of the lanes' own waiting.
"""

import os
import time

from tests.benchmarks import figures
from tests.benchmarks.lab import Lab

AWAY = int(os.environ.get("OUTAGE_SECONDS", "60"))
OUTAGES: tuple[dict[str, object], ...] = (
    {"effect": "server_error"},
    {"effect": "not_json", "variant": "html"},
    {"effect": "hang", "seconds": 30},
    {"effect": "reset"},
    {"effect": "reset", "after_processing": True},
)


def run(lab: Lab) -> None:
    keys = [lab.source(channel) for channel in lab.channels(3)]
    took, answered = [], []
    for moment, outage in enumerate(OUTAGES):
        lab.control("faults", **outage)
        until = time.monotonic() + AWAY + 0.4 * moment
        number = 0
        while time.monotonic() < until:
            begun = time.monotonic()
            summary = f"away {moment} {number:03d}"
            assert lab.send(keys[number % len(keys)], summary).status_code == 202
            answered.append(time.monotonic() - begun)
            number += 1
            time.sleep(1)
        lab.clear_faults()
        took.append(lab.until(lambda: lab.represented()[0] == lab.represented()[1], "all shown"))
    asked = len([each for each in lab.calls() if each["method"] != "auth.test"])
    figures.times("Slack is back → all represented", took, "5 s at most")
    figures.times("event answered 202 meanwhile", answered)
    figures.say(f"{asked} calls beside the question whether Slack is there, all in all")
