"""How long from an event to its message, in quiet times? 5 alerts a second over 10 channels."""

import time

from tests.benchmarks import figures
from tests.benchmarks.lab import Lab

SECONDS, PER_SECOND, CHANNELS = 30, 5, 10


def run(lab: Lab) -> None:
    keys = [(channel, lab.source(channel)) for channel in lab.channels(CHANNELS)]
    lab.send(keys[0][1], "warm up")
    time.sleep(1)
    sent: dict[str, float] = {}
    answered: list[float] = []
    begun = time.time()
    for number in range(SECONDS * PER_SECOND):
        time.sleep(max(0.0, begun + number / PER_SECOND - time.time()))
        summary = f"steady {number:04d}"
        sent[summary] = time.time()
        assert lab.send(keys[number % CHANNELS][1], summary).status_code == 202
        answered.append(time.time() - sent[summary])
    time.sleep(2)
    waited = [
        float(message["ts"]) - sent[summary]
        for channel, _ in keys
        for message in lab.messages(channel)
        for summary in sent
        if summary in message["text"]
    ]
    figures.times("event answered 202", answered)
    figures.times("event → message in Slack", waited, "p50 ≤ 12 ms, p99 ≤ 40 ms")
    figures.say(f"shown {len(waited)} of {len(sent)}")
