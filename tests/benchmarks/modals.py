"""How soon after a click is its modal open, at twenty clicks a second? Slack takes 0 or 150 ms."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from tests.benchmarks import figures
from tests.benchmarks.lab import OWNER, Lab

CLICKS, PER_SECOND = 80, 20  # Slack takes a hundred views.open a minute
WARM_UP = 15
MINUTE = 61  # seconds; then Slack takes a hundred more


def run(lab: Lab) -> None:
    (channel,) = lab.channels(1)
    lab.send(lab.source(channel), "Disk full")
    lab.until(lambda: lab.represented() == (1, 1), "the alert is in Slack")
    (message,) = lab.messages(channel)
    button = {"user_id": OWNER, "channel_id": channel, "ts": message["ts"]}
    _click(lab, button, WARM_UP)  # a worker's very first jobs are slower
    for slow, ahead in ((0.0, 0), (0.15, MINUTE)):  # how far Slack's clock is ahead by then
        if slow:
            lab.control("faults", effect="hang", seconds=slow, method="views.open")
        clicked = _click(lab, button, CLICKS)
        lab.until(partial(_are_open, lab, clicked), "all are open")
        opened = _moments(lab)
        waited = [opened[trigger] - ahead - at for trigger, at in clicked.items()]
        figures.times(f"modal, Slack takes {1000 * slow:.0f} ms", waited, "p95 ≤ 300 ms")
        lab.clear_faults()
        lab.control("clock", advance=MINUTE)


def _click(lab: Lab, button: dict[str, Any], clicks: int) -> dict[str, float]:
    """When each click was made, by its trigger."""

    def one(number: int) -> tuple[str, float]:
        time.sleep(max(0.0, begun + number / PER_SECOND - time.monotonic()))
        at = time.time()
        delivery = lab.control("act/click", action_id="alert_more", **button)
        return str(delivery["payload"]["trigger_id"]), at

    begun = time.monotonic()
    with ThreadPoolExecutor(PER_SECOND) as people:
        return dict(people.map(one, range(clicks)))


def _are_open(lab: Lab, clicked: dict[str, float]) -> bool:
    return clicked.keys() <= _moments(lab).keys()


def _moments(lab: Lab) -> dict[str, float]:
    """When each modal was open, by its trigger."""
    return {
        call["arguments"]["trigger_id"]: call["at"] + call["duration"]
        for call in lab.calls("views.open")
        if '"ok":true' in call["answer"].replace(" ", "")
    }
