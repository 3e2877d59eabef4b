"""What does a worker do all the time, beside the jobs that wait for it?"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import structlog
from flask import Flask
from sqlalchemy.exc import OperationalError

log = structlog.get_logger()


class Loop(NamedTuple):
    run: Callable[[], Any]
    pause: float  # seconds


LOOPS: list[Loop] = []
AFTER_A_FAULT = 1.0  # seconds
LOOK_AT_THE_CLOCK, JUMP = 5.0, 2.0  # seconds; a smaller jump is the usual correction


def loop(*, pause: float) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Run a function over and over on every worker, with a pause of so many seconds in between.

    It has a thread of its own, so that eight answers of a slow Slack do not delay it. Several
    workers run it at the same moment: it has to share the work through row locks.
    """

    def register(run: Callable[[], Any]) -> Callable[[], Any]:
        LOOPS.append(Loop(run, pause))
        return run

    return register


async def turn(app: Flask, wanted: Loop, stop: asyncio.Event) -> None:
    """Run one loop until `stop` is set. A fault ends a turn, not the loop."""

    def run() -> None:
        with app.app_context():
            wanted.run()

    while not stop.is_set():
        pause = wanted.pause
        try:
            await asyncio.to_thread(run)
        except OperationalError as problem:  # the database is away, or busy: it comes back
            log.warning("loop_interrupted", loop=wanted.run.__name__, problem=repr(problem.orig))
            pause = AFTER_A_FAULT
        except Exception:  # an edge: the next turn begins anew
            log.exception("loop_failed", loop=wanted.run.__name__)
            pause = AFTER_A_FAULT
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)


async def clock_set_back() -> None:
    """Return when this machine's clock is set back: Procrastinate defers nothing by the clock until
    the hour comes that it has seen before, unless its workers begin anew."""
    before = time.time() - time.monotonic()
    while time.time() - time.monotonic() > before - JUMP:
        await asyncio.sleep(LOOK_AT_THE_CLOCK)
