"""How many calls do twenty changes of one alert in two seconds cost, and is the last one shown?"""

import time

from tests.benchmarks import figures
from tests.benchmarks.lab import Lab

CHANGES, SECONDS = 20, 2


def run(lab: Lab) -> None:
    (channel,) = lab.channels(1)
    key = lab.source(channel)
    begun = time.time()
    for number in range(CHANGES + 1):
        time.sleep(max(0.0, begun + number * SECONDS / CHANGES - time.time()))
        assert lab.send(key, "again", alertKey="one").status_code == 202
    lab.until(
        lambda: f"Events: {CHANGES + 1}" in str(lab.messages(channel)), "the last state is shown"
    )
    calls = [each for each in lab.calls() if each["method"].startswith("chat.")]
    figures.say(f"{len(calls)} calls, the message counts {CHANGES + 1} events", "at most 3 calls")
