"""May this call pass now, and if not, how long must the caller wait?"""

import math
from collections import deque
from dataclasses import dataclass, field

from .state import Switches

MINUTE = 60.0
BUSY_SECONDS = 10
GENEROUS = 600  # Slack's "special" tier and above: not measured against one call per second

Key = tuple[str, ...]


@dataclass
class Verdict:
    """`retry_after` 0 means pass; the violations are a caller's bad manners, passed or not."""

    retry_after: int = 0
    violations: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class RateLimiter:
    """Windows of one minute per key, and a bucket of one message per second and channel.

    Source: Slack docs, Rate limits; the burst and the workspace-wide number are ours to choose.
    """

    calls: dict[Key, deque[float]] = field(default_factory=dict)
    buckets: dict[Key, tuple[float, float]] = field(default_factory=dict)
    blocked_until: dict[Key, float] = field(default_factory=dict)
    busy_until: dict[Key, float] = field(default_factory=dict)

    def clear(self) -> None:
        for kept in (self.calls, self.buckets, self.blocked_until, self.busy_until):
            kept.clear()

    def admit(self, key: Key, per_minute: int, now: float, switches: Switches) -> Verdict:
        """Count one call of (method, workspace) against its tier; without one it is not counted."""
        if not switches.rate_limits:
            return Verdict()
        if verdict := self._still_blocked(key, now):
            return verdict
        if not per_minute:
            return Verdict()
        window = self.calls.setdefault(key, deque())
        while window and window[0] <= now - MINUTE:
            window.popleft()
        if len(window) >= per_minute:
            return self.block(key, now, math.ceil(window[0] + MINUTE - now))
        window.append(now)
        return Verdict(violations=self._too_busy(key, window, now) if per_minute < GENEROUS else [])

    def admit_post(self, team_id: str, channel_id: str, now: float, switches: Switches) -> Verdict:
        """Count one message, by whatever means, against its channel and its workspace."""
        if not switches.rate_limits:
            return Verdict()
        key = ("posting", team_id, channel_id)
        if verdict := self._still_blocked(key, now):
            return verdict
        tokens, since = self.buckets.get(key, (float(switches.posting_burst), now))
        pace = switches.posting_per_second
        tokens = min(switches.posting_burst, tokens + pace * max(0.0, now - since))
        if tokens < 1:
            self.buckets[key] = (tokens, now)
            return self.block(key, now, max(1, math.ceil((1 - tokens) / pace)))
        verdict = self.admit(("posting", team_id), switches.posting_per_minute, now, switches)
        if verdict.retry_after:
            return verdict
        self.buckets[key] = (tokens - 1, now)
        return Verdict()  # the workspace as a whole may be busy; only its channels are slow

    def _still_blocked(self, key: Key, now: float) -> Verdict | None:
        until = self.blocked_until.get(key, 0.0)
        if now >= until:
            return None
        left = math.ceil(until - now)
        return Verdict(
            left, [("called_before_retry_after", f"{left} s too early for {'/'.join(key)}")]
        )

    def block(self, key: Key, now: float, seconds: int) -> Verdict:
        """Remember that the caller was told to wait."""
        self.blocked_until[key] = now + seconds
        return Verdict(seconds)

    def _too_busy(self, key: Key, window: deque[float], now: float) -> list[tuple[str, str]]:
        recent = sum(1 for at in window if at > now - BUSY_SECONDS)
        if recent <= BUSY_SECONDS or now < self.busy_until.get(key, 0.0):
            return []
        self.busy_until[key] = now + BUSY_SECONDS
        return [("over_one_call_per_second", f"{recent} calls of {'/'.join(key)} in ten seconds")]
