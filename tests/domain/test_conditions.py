"""Does an alert action concern exactly the alerts that its conditions describe, in bounded time?"""

import time

import pytest

from portal.domain.routing.conditions import Condition, Criterion, Field, Subject, failing
from portal.errors import Invalid

ALERT = Subject(
    summary="Disk FULL on db-1",
    details="87 % of /var",
    policy="Platform",
    priority="high",
    source="Prometheus",
    labels={"team": "db", "env": "prod"},
)


@pytest.mark.parametrize(
    ("field", "criterion", "value", "holds"),
    [
        ("summary", "any_word", "network, disk", True),
        ("summary", "any_word", "dis", False),  # no whole word
        ("summary", "any_word", "db-1", True),
        ("summary", "no_word", "network disk", False),
        ("summary", "no_word", "network", True),
        ("summary", "contains", "full on", True),
        ("summary", "contains_not", "full on", False),
        ("summary", "is", "disk full on db-1", True),
        ("summary", "is", "disk full", False),
        ("summary", "is_not", "disk full", True),
        ("summary", "matches", r"^disk .* db-\d$", True),
        ("summary", "matches", r"db-[2-9]", False),
        ("summary", "matches_not", r"db-[2-9]", True),
        ("details", "contains", "/VAR", True),
        ("policy", "is", "platform", True),
        ("priority", "is", "HIGH", True),
        ("priority", "any_word", "high low", True),
        ("source", "matches", "prom(etheus|scale)", True),
        ("labels", "is", "team=db", True),
        ("labels", "is_not", "team=db", False),  # one of them is
        ("labels", "is_not", "team=web", True),
        ("labels", "contains", "prod", True),
        ("labels", "contains_not", "staging", True),
    ],
)
def test_each_criterion_means_what_it_says(
    field: str, criterion: str, value: str, holds: bool
) -> None:
    assert Condition.parse(field, criterion, value).holds(ALERT) is holds


@pytest.mark.parametrize(
    ("needs_all", "values", "fits"),
    [
        (True, ["disk", "full"], True),
        (True, ["disk", "network"], False),
        (False, ["disk", "network"], True),
        (False, ["cpu", "network"], False),
        (True, [], True),
        (False, [], True),
    ],
)
def test_all_or_one_of_them_have_to_hold(needs_all: bool, values: list[str], fits: bool) -> None:
    conditions = [Condition(Field.SUMMARY, Criterion.CONTAINS, each) for each in values]
    assert (failing(conditions, ALERT, needs_all=needs_all) == []) is fits


@pytest.mark.parametrize("criterion", list(Criterion))
def test_not_is_the_opposite(criterion: Criterion) -> None:
    opposite = {
        Criterion.ANY_WORD: Criterion.NO_WORD,
        Criterion.CONTAINS: Criterion.CONTAINS_NOT,
        Criterion.IS: Criterion.IS_NOT,
        Criterion.MATCHES: Criterion.MATCHES_NOT,
    }.get(criterion)
    for field in Field if opposite else ():
        for value in ("disk", "high", "team=db", "nothing of it"):
            holds = Condition(field, criterion, value).holds(ALERT)
            assert Condition(field, opposite, value).holds(ALERT) is not holds


@pytest.mark.parametrize(
    ("field", "criterion", "value", "said"),
    [
        ("colour", "is", "red", "what is compared"),
        ("summary", "smells", "odd", "what is compared"),
        ("summary", "is", "  ", "1 to 500"),
        ("summary", "is", "x" * 501, "1 to 500"),
        ("summary", "matches", "(", "missing \\)"),
        ("summary", "matches", "a)", "unexpected \\)"),
        ("summary", "matches", "[a", "missing \\]"),
        ("summary", "matches", "*a", "no argument for repetition"),
        ("summary", "matches", "a**", "bad repetition"),
        ("summary", "matches", r"(a)\1", "invalid escape"),
        ("summary", "matches", "(?=a)", "invalid perl operator"),
        ("summary", "matches", "a{1001}", "invalid repetition size"),
        ("summary", "matches", "((a{100}){100}){100}", "invalid repetition size"),
        ("summary", "matches_not", "[z-a]", "invalid character class"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(
    field: str, criterion: str, value: str, said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        Condition.parse(field, criterion, value)


@pytest.mark.parametrize(
    "pattern",
    [r"(a+)+$", r"(a|aa)+$", r"(.*)*x", r"(a|a)*b", r".*.*.*.*.*=x", r"(a*)*(a*)*c"],
)
def test_no_pattern_takes_long(pattern: str) -> None:
    """Python's own engine would need longer than the universe is old for the first one."""
    begun = time.process_time()
    condition = Condition.parse("details", "matches", pattern)
    subject = Subject("", "a" * 100_000 + "!", "", "", "", {})
    assert not condition.holds(subject)
    assert time.process_time() - begun < 5
