"""Which events wait to be sent to the app, and when is each due?"""

import heapq
import threading
from dataclasses import dataclass, field
from typing import Any

from .clock import Clock

GLANCE = 0.2  # seconds between looks at a clock that may have been moved by command


@dataclass(order=True)
class Attempt:
    """One try to deliver an event; number 0 is the first, 1 to 3 are repetitions."""

    due: float
    order: int
    payload: dict[str, Any] = field(compare=False)
    number: int = field(default=0, compare=False)
    reason: str = field(default="", compare=False)  # why it is tried again, in Slack's words


class EventQueue:
    """Attempts in the order they fall due. While it is held nothing leaves."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._news = threading.Condition()
        self._waiting: list[Attempt] = []
        self._order = 0
        self.is_held = False
        self.verified_url = ""  # the request URL that has answered the challenge

    def put(
        self, payload: dict[str, Any], due: float | None = None, number: int = 0, reason: str = ""
    ) -> None:
        with self._news:
            self._order += 1
            due = self._clock.now() if due is None else due
            heapq.heappush(self._waiting, Attempt(due, self._order, payload, number, reason))
            self._news.notify_all()

    def take(self, stopping: threading.Event) -> Attempt | None:
        """The next attempt, once it is due; None when the sandbox stops."""
        with self._news:
            while not stopping.is_set():
                is_ready = self._waiting and not self.is_held
                if is_ready and self._waiting[0].due <= self._clock.now():
                    return heapq.heappop(self._waiting)
                self._news.wait(GLANCE if is_ready else None)
        return None

    def hold(self) -> None:
        with self._news:
            self.is_held = True

    def release(self) -> list[dict[str, Any]]:
        """Let events leave again by themselves; returns those that waited, which do not."""
        with self._news:
            held = [attempt.payload for attempt in sorted(self._waiting)] if self.is_held else []
            self._waiting = [] if self.is_held else self._waiting
            self.is_held = False
            self._news.notify_all()
            return held

    def clear(self) -> None:
        with self._news:
            self._waiting.clear()
            self.is_held = False

    def wake(self) -> None:
        with self._news:
            self._news.notify_all()
