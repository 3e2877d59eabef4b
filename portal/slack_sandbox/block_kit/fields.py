"""Is one field of a block all right? Small checks that the tables of blocks are made of."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..text import length

Check = Callable[[Any, str, "Problems"], None]
Schema = dict[str, Check]


@dataclass
class Problems:
    """What is wrong, in Slack's words: `no more than 25 items allowed [json-pointer:/blocks/1]`."""

    found: list[str] = field(default_factory=list)

    def add(self, problem: str, pointer: str) -> None:
        self.found.append(f"{problem} [json-pointer:{pointer}]")


def anything(value: Any, at: str, problems: Problems) -> None:
    """A field whose content is not looked at."""


def string(most: int, least: int = 0) -> Check:
    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, str):
            problems.add("must provide a string", at)
        elif length(value) > most:
            problems.add(f"must be less than {most + 1} characters", at)
        elif length(value) < least:
            problems.add(f"must be more than {least - 1} characters", at)

    return check


def whole(most: int, least: int = 0) -> Check:
    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            problems.add("must provide an integer", at)
        elif not least <= value <= most:
            problems.add(f"must be between {least} and {most}", at)

    return check


def one_of(*allowed: str) -> Check:
    def check(value: Any, at: str, problems: Problems) -> None:
        if value not in allowed:
            problems.add(f"must be one of {', '.join(allowed)}", at)

    return check


def text(most: int, *kinds: str) -> Check:
    """A text object; of which kind, and how long."""

    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, dict) or value.get("type") not in kinds:
            problems.add(f"must be a text object of type {' or '.join(kinds)}", at)
        else:
            string(most, 1)(value.get("text"), f"{at}/text", problems)

    return check


def plain(most: int) -> Check:
    return text(most, "plain_text")


def any_text(most: int) -> Check:
    return text(most, "plain_text", "mrkdwn")


def items(of: Check, most: int, least: int = 1) -> Check:
    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, list):
            problems.add("must be an array", at)
            return
        if len(value) > most:
            problems.add(f"no more than {most} items allowed", at)
        if len(value) < least:
            problems.add(f"no fewer than {least} items allowed", at)
        for number, item in enumerate(value):
            of(item, f"{at}/{number}", problems)

    return check


def members(schema: Schema) -> Check:
    """An object; keys of the schema that end in `*` are required."""

    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.add("must be an object", at)
            return
        for key, check_field in schema.items():
            name = key.rstrip("*")
            if value.get(name) is not None:
                check_field(value[name], f"{at}/{name}", problems)
            elif key.endswith("*"):
                problems.add(f"missing required field: {name}", at)

    return check


def typed(table: dict[str, Schema], *allowed: str) -> Check:
    """An object whose `type` picks its schema from the table; others are not taken here."""

    def check(value: Any, at: str, problems: Problems) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in table or (allowed and kind not in allowed):
            problems.add(f"unsupported type: {kind}", f"{at}/type")
        else:
            members(table[kind])(value, at, problems)

    return check
