"""Which calls go wrong on purpose, when, and how?"""

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any

from .clock import Clock

# Some answer instead of the method or after it; the last four change the installation first.
EFFECTS = {
    "error": "answers an error code",
    "rate_limited": "answers 429, in one of Slack's variants",
    "server_error": "answers 500, 502 or 503",
    "hang": "does not answer for some seconds",
    "not_json": "answers something that is not a JSON object",
    "reset": "resets the connection",
    "redirect": "answers 302 to another place",
    "token_revoked": "the token is revoked from now on",
    "token_expired": "the token is expired from now on",
    "app_uninstalled": "the app is uninstalled from now on",
    "scope_lost": "the token loses a scope from now on",
}
VARIANTS = {
    "rate_limited": (
        "status",
        "no_header",
        "not_a_number",
        "fraction",
        "ok_ratelimited",
        "ok_rate_limited",
        "ok_message_limit_exceeded",
    ),
    "server_error": ("html", "json"),
    "not_json": ("html", "empty", "truncated", "array"),
}


class BadFault(Exception):
    """The rule makes no sense; the message says what would."""


@dataclass
class Fault:
    """One rule: where (`method`, `team_id`, `channel`, `arguments`), when, and what."""

    effect: str
    method: str = "*"  # a Web API method, "response_url", or a pattern like chat.*
    team_id: str = ""
    channel: str = ""
    arguments: dict[str, str] = field(default_factory=dict)  # that the call must carry
    times: int | None = None  # the next n calls; None: until cleared
    every: int = 1  # every nth call
    for_seconds: float = 0.0  # 0: as long as the rule stands
    after_call: str = ""  # sleeps until this method was called
    after_processing: bool = False  # the method does its work, and only then it goes wrong
    error: str = "internal_error"
    extra: dict[str, Any] = field(default_factory=dict)  # needed, provided ... beside the error
    status: int = 503
    retry_after: int = 30
    variant: str = ""
    seconds: float = 0.0  # of a hang
    location: str = ""
    scope: str = ""
    id: int = 0
    seen: int = 0  # calls that matched so far
    hits: int = 0  # calls that went wrong
    until: float = 0.0
    is_awake: bool = True

    def __post_init__(self) -> None:
        if self.effect not in EFFECTS:
            raise BadFault(f"effect must be one of {', '.join(EFFECTS)}.")
        variants = VARIANTS.get(self.effect, ("",))
        self.variant = self.variant or variants[0]
        if self.variant not in variants:
            raise BadFault(f"variant of {self.effect} must be one of {', '.join(variants)}.")
        if self.effect == "scope_lost" and not self.scope:
            raise BadFault("scope_lost needs the scope.")
        if self.every < 1:
            raise BadFault("every must be 1 or more.")

    def covers(self, method: str, team_id: str, channel: str, arguments: Mapping[str, Any]) -> bool:
        return (
            fnmatchcase(method, self.method)
            and self.team_id in ("", team_id)
            and self.channel in ("", channel)
            and all(str(arguments.get(k, "")) == v for k, v in self.arguments.items())
        )


TAKEN = {f.name for f in fields(Fault)} - {"id", "seen", "hits", "until", "is_awake"}


def parse(rule: dict[str, Any]) -> Fault:
    """A rule from outside. Raises BadFault with words a tester can act on."""
    if unknown := set(rule) - TAKEN:
        takes = ", ".join(sorted(TAKEN))
        raise BadFault(f"Unknown: {', '.join(sorted(unknown))}. A rule takes {takes}.")
    if "effect" not in rule:
        raise BadFault(f"A rule needs an effect: {', '.join(EFFECTS)}.")
    return Fault(**rule)


class Faults:
    """The standing rules, oldest first; the first that applies to a call decides it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last_id = 0
        self.rules: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        now = self._clock.now()
        with self._lock:
            self._last_id += 1
            fault.id = self._last_id
            fault.until = now + fault.for_seconds if fault.for_seconds else 0.0
            fault.is_awake = not fault.after_call
            self.rules.append(fault)
            return fault

    def clear(self, fault_id: int | None = None) -> None:
        with self._lock:
            self.rules = [r for r in self.rules if fault_id is not None and r.id != fault_id]

    def for_call(
        self, method: str, team_id: str, channel: str, arguments: Mapping[str, Any]
    ) -> Fault | None:
        """The rule that applies to this call. Counts the call, so ask once per call."""
        now = self._clock.now()
        with self._lock:
            self.rules = [r for r in self.rules if not r.until or now < r.until]
            applying = (
                r for r in self.rules if self._applies(r, method, team_id, channel, arguments)
            )
            chosen = next(applying, None)
            for rule in self.rules:
                rule.is_awake = rule.is_awake or fnmatchcase(method, rule.after_call)
            if chosen and chosen.times is not None and chosen.hits >= chosen.times:
                self.rules.remove(chosen)
            return chosen

    @staticmethod
    def _applies(
        rule: Fault, method: str, team_id: str, channel: str, arguments: Mapping[str, Any]
    ) -> bool:
        if not rule.is_awake or not rule.covers(method, team_id, channel, arguments):
            return False
        rule.seen += 1
        if rule.seen % rule.every:
            return False
        rule.hits += 1
        return True

    def describe(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(rule) for rule in self.rules]


# Ready-made rules for the demo; the alerts themselves come from the portal's side.
SCENES: dict[str, tuple[str, dict[str, Any]]] = {
    "down": (
        "Slack is down for two minutes",
        {"effect": "server_error", "status": 503, "for_seconds": 120},
    ),
    "unreachable": (
        "Slack resets every connection for a minute",
        {"effect": "reset", "for_seconds": 60},
    ),
    "rate_limited": (
        "Rate limited for 30 seconds",
        {"effect": "rate_limited", "method": "chat.*", "retry_after": 30, "for_seconds": 30},
    ),
    "slow": (
        "Every answer takes two seconds, for two minutes",
        {"effect": "hang", "seconds": 2, "after_processing": True, "for_seconds": 120},
    ),
    "lost_answer": (
        "The next message is posted, but its answer is lost",
        {"effect": "reset", "method": "chat.postMessage", "after_processing": True, "times": 1},
    ),
}
