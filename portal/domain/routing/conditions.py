"""Which alerts does an alert action concern? Pure: conditions on one side, an alert's texts on the other.

Letter case never counts. A criterion that says "not" is the plain opposite of the one that does
not: labels are several texts, and "contains not" means that none of them contains it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Self

import re2

from portal.errors import Invalid

MOST_CONDITIONS = 20
LONGEST_VALUE = 500


class Field(StrEnum):
    """What can be looked at."""

    SUMMARY = "summary"
    DETAILS = "details"
    POLICY = "policy"
    PRIORITY = "priority"
    SOURCE = "source"
    LABELS = "labels"


class Criterion(StrEnum):
    """How it is compared."""

    ANY_WORD = "any_word"
    NO_WORD = "no_word"
    CONTAINS = "contains"
    CONTAINS_NOT = "contains_not"
    IS = "is"
    IS_NOT = "is_not"
    MATCHES = "matches"
    MATCHES_NOT = "matches_not"


FIELDS: Mapping[Field, str] = {
    Field.SUMMARY: "Summary",
    Field.DETAILS: "Details",
    Field.POLICY: "Escalation policy",
    Field.PRIORITY: "Priority",
    Field.SOURCE: "Alert source",
    Field.LABELS: "Labels",
}
CRITERIA: Mapping[Criterion, str] = {
    Criterion.ANY_WORD: "has any of the words",
    Criterion.NO_WORD: "has none of the words",
    Criterion.CONTAINS: "contains",
    Criterion.CONTAINS_NOT: "contains not",
    Criterion.IS: "is",
    Criterion.IS_NOT: "is not",
    Criterion.MATCHES: "matches",
    Criterion.MATCHES_NOT: "matches not",
}
OPPOSITES: Mapping[Criterion, Criterion] = {
    Criterion.NO_WORD: Criterion.ANY_WORD,
    Criterion.CONTAINS_NOT: Criterion.CONTAINS,
    Criterion.IS_NOT: Criterion.IS,
    Criterion.MATCHES_NOT: Criterion.MATCHES,
}


@dataclass(frozen=True)
class Condition:
    """One field, how it is compared, and with what."""

    field: Field
    criterion: Criterion
    value: str

    @classmethod
    def parse(cls, field: str, criterion: str, value: str) -> Self:
        """As typed or as stored. Raises Invalid with what does not fit."""
        value = value.strip().replace("\x00", "")
        if field not in list(Field) or criterion not in list(Criterion):
            raise Invalid("Please choose what is compared, and how.", field="conditions")
        if not 0 < len(value) <= LONGEST_VALUE:
            raise Invalid(
                f"Please enter a value of 1 to {LONGEST_VALUE} characters for each condition.",
                field="conditions",
            )
        found = cls(Field(field), Criterion(criterion), value)
        if OPPOSITES.get(found.criterion, found.criterion) is Criterion.MATCHES:
            _pattern(value)
        return found

    def to_json(self) -> dict[str, str]:
        return {"field": self.field, "criterion": self.criterion, "value": self.value}

    def __str__(self) -> str:
        return f"{FIELDS[self.field]} {CRITERIA[self.criterion]} “{self.value}”"

    def holds(self, subject: "Subject") -> bool:
        positive = OPPOSITES.get(self.criterion, self.criterion)
        does = any(_fits(positive, self.value, text) for text in subject.texts(self.field))
        return does is (positive is self.criterion)


@dataclass(frozen=True)
class Subject:
    """The texts of one alert. A label reads `key=value`."""

    summary: str
    details: str
    policy: str
    priority: str
    source: str
    labels: Mapping[str, str]

    def texts(self, field: Field) -> Sequence[str]:
        if field is Field.LABELS:
            return [f"{key}={value}" for key, value in self.labels.items()]
        text: str = getattr(self, field.value)
        return [text]


def failing(
    conditions: Sequence[Condition], subject: Subject, *, needs_all: bool
) -> list[Condition]:
    """The conditions that keep an action from an alert; none where it fits.

    With `needs_all` those that do not hold, otherwise all of them if not one holds.
    """
    missed = [each for each in conditions if not each.holds(subject)]
    return missed if needs_all or len(missed) == len(conditions) else []


def _fits(criterion: Criterion, value: str, text: str) -> bool:
    if criterion is Criterion.MATCHES:
        return _pattern(value).search(text) is not None
    wanted, given = value.casefold(), text.casefold()
    if criterion is Criterion.CONTAINS:
        return wanted in given
    if criterion is Criterion.IS:
        return wanted == given.strip()
    return any(_has_word(word, given) for word in re.split(r"[\s,;]+", wanted) if word)


@lru_cache(maxsize=500)
def _pattern(value: str) -> re2._Regexp:
    """Raises Invalid. Python's own engine tries one way after the other, and would try `(a+)+$` for
    hours: RE2 takes time in proportion to the text, whatever the pattern."""
    options = re2.Options()
    options.case_sensitive, options.log_errors = False, False
    try:
        return re2.compile(value, options)
    except re2.error as problem:
        (said,) = problem.args
        words = f"“{value}” is not a regular expression: {said.decode(errors='replace')}."
        raise Invalid(words, field="conditions") from None


def _has_word(word: str, text: str) -> bool:
    """As a whole word: “disk” is in “disk full”, not in “diskette”."""
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None
