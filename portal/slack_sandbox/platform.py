"""What belongs to one running sandbox? The state, the clock, the journal, the limits, the faults."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from .clock import Clock
from .event_queue import EventQueue
from .faults import Faults
from .journal import Journal
from .manifest import Manifest
from .rate_limits import RateLimiter
from .state import Message, World

Found = TypeVar("Found")
MOST_MESSAGES = 10_000  # per channel; a storm that runs for hours must not eat the memory


@dataclass
class Credentials:
    """The app as its developer sees it: what goes into the portal's settings."""

    client_id: str
    client_secret: str
    signing_secret: str
    app_id: str


@dataclass
class Platform:
    """One pretend Slack with one app; everything else in this package works on it."""

    app: Credentials
    manifest: Manifest
    world: World
    url: str = ""  # as browsers and the portal reach the sandbox, without a slash at the end
    clock: Clock = field(default_factory=Clock)
    journal: Journal = field(default_factory=Journal)
    limiter: RateLimiter = field(default_factory=RateLimiter)
    faults: Faults = field(init=False)
    events: EventQueue = field(init=False)
    go_away: Callable[[float], None] | None = None  # set while the sandbox listens
    watchers: list[Callable[[Message], None]] = field(default_factory=list)  # told of new messages
    changed: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)
    _news: threading.Condition = field(default_factory=threading.Condition)  # on a re-entrant lock

    def __post_init__(self) -> None:
        self.faults = Faults(self.clock)
        self.events = EventQueue(self.clock)

    @contextmanager
    def changing(self) -> Iterator[World]:
        """The state, for this thread alone. Never hold it while talking to the portal."""
        with self._news:
            yield self.world
            self.changed.set()
            self._news.notify_all()

    @contextmanager
    def reading(self) -> Iterator[World]:
        with self._news:
            yield self.world

    def wait_for(self, find: Callable[[], Found | None], timeout: float) -> Found | None:
        """What `find` finds, looked for again after every change; None after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self._news:
            while (found := find()) is None:
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._news.wait(left)
            return found

    def secret(self, prefix: str) -> str:
        """A credential nobody can guess from the last one, the same in every run of one story."""
        number = self.world.count(prefix)
        seed = f"{self.app.client_secret}/{self.world.epoch}/{prefix}/{number}"
        return f"{prefix}{hashlib.sha256(seed.encode()).hexdigest()[:32]}"

    def next_ts(self) -> str:
        """A message's id: the time in microseconds, unique and increasing."""
        self.world.last_ts = max(self.clock.now(), self.world.last_ts + 0.000_1)
        return f"{self.world.last_ts:.6f}"

    def keep(self, message: Message) -> Message:
        """Store a new message. A channel forgets its oldest when it has too many."""
        kept = self.world.messages.setdefault(message.channel, {})
        kept[message.ts] = message
        if len(kept) > MOST_MESSAGES:
            del kept[next(iter(kept))]
        for tell in self.watchers:
            tell(message)
        return message

    def violation(self, rule: str, detail: str, method: str = "") -> None:
        self.journal.violation(self.clock.now(), rule, detail, method)
