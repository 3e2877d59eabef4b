"""What went over the wire, in both directions, and what was wrong with it?"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

KEPT = 5_000  # entries of each kind; a long demo must not eat the memory


@dataclass
class Request:
    """One request of the portal or of a browser's consent, with the answer it got."""

    seq: int
    at: float
    kind: str  # "api", "response_url" or "authorize"
    method: str  # the Web API method, or the path
    verb: str
    path: str
    query: str
    headers: dict[str, str]
    body: str
    arguments: dict[str, Any] = field(default_factory=dict)
    team_id: str = ""
    decision: str = ""  # the rule or fault that made the answer
    status: int = 0
    answer_headers: dict[str, str] = field(default_factory=dict)
    answer: str = ""
    duration: float = 0.0


@dataclass
class Delivery:
    """One signed request to the portal, with its answer and what Slack thinks of it."""

    seq: int
    at: float
    kind: str
    url: str
    headers: dict[str, str]
    body: str
    payload: dict[str, Any]
    status: int | None = None
    answer_headers: dict[str, str] = field(default_factory=dict)
    answer: str = ""
    duration: float = 0.0
    verdict: str = "waiting"  # then "ok", "http_error", "operation_timeout" or "connection_failed"


@dataclass
class Violation:
    """Something Slack tolerates or refuses, but that is a defect of the portal."""

    seq: int
    at: float
    rule: str
    detail: str
    method: str = ""


Entry = Request | Delivery | Violation


class Journal:
    """Three ordered lists. Readers may wait until an entry arrives that they look for."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._seq = 0
        self.requests: deque[Request] = deque(maxlen=KEPT)
        self.deliveries: deque[Delivery] = deque(maxlen=KEPT)
        self.violations: deque[Violation] = deque(maxlen=KEPT)

    def next_seq(self) -> int:
        with self._news:
            self._seq += 1
            return self._seq

    def add(self, entry: Entry) -> None:
        """Record a finished entry and wake everyone who waits for one."""
        with self._news:
            if isinstance(entry, Request):
                self.requests.append(entry)
            elif isinstance(entry, Delivery):
                self.deliveries.append(entry)
            else:
                self.violations.append(entry)
            self._news.notify_all()

    def violation(self, at: float, rule: str, detail: str, method: str = "") -> None:
        self.add(Violation(self.next_seq(), at, rule, detail, method))

    def wait(self, find: Callable[[], list[Any]], seconds: float, count: int = 1) -> list[Any]:
        """What `find` finds, at the latest after `seconds`, earlier once it finds `count`."""
        deadline = time.monotonic() + seconds
        with self._news:
            while len(found := find()) < count:
                left = deadline - time.monotonic()
                if left <= 0 or not self._news.wait(left):
                    return find()
            return found

    def clear(self) -> None:
        with self._news:
            self.requests.clear()
            self.deliveries.clear()
            self.violations.clear()
            self._news.notify_all()


def as_dicts(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    return [asdict(entry) for entry in entries]
