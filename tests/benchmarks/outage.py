"""How soon is everything shown once Slack is back, and do senders notice that it was away?"""

import time

from tests.benchmarks import figures
from tests.benchmarks.lab import Lab

MOMENTS, AWAY = 5, 60


def run(lab: Lab) -> None:
    keys = [lab.source(channel) for channel in lab.channels(3)]
    took, answered = [], []
    for moment in range(MOMENTS):
        lab.control("faults", effect="server_error")
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
    asked = len([each for each in lab.calls() if each["status"] == 503])
    figures.times("Slack is back → all represented", took, "5 s at most")
    figures.times("event answered 202 meanwhile", answered)
    figures.say(f"{asked} calls in {MOMENTS * AWAY} s without Slack")
