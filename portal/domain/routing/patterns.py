"""Does a text match a regular expression that a person typed? In time that only the lengths decide.

Python's own engine tries one way after the other, and a pattern such as `(a+)+$` has it try for
hours: a worker that receives events would hang. Here all ways are followed at once, one character
after the other (K. Thompson, 1968; https://swtch.com/~rsc/regexp/regexp1.html), so that a text costs
at most its length times the pattern's. What that cannot do, back-references and looking around,
is refused in words.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from portal.domain.routing.pattern_parsing import CLASSES, Node, Parser, Test, refusal

MOST_STEPS = 300  # of a compiled pattern: what is repeated counts as often
SEEN = 10_000  # characters of a text; what follows is not looked at


class Step(NamedTuple):
    """One step of a compiled pattern: eat a character, be at a place, or go on at `to`."""

    test: Test | None = None
    place: str = ""  # "^", "$", "b" or "B"
    to: tuple[int, ...] = ()


class Pattern:
    """A compiled pattern; `is_in` says whether it matches anywhere in a text, ignoring case."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps, self._end = steps, len(steps)

    def is_in(self, text: str) -> bool:
        shown = text[:SEEN]
        ways: set[int] = set()
        for at in range(len(shown) + 1):
            ready = self._followed({0, *ways}, shown, at)
            if self._end in ready:
                return True
            if at < len(shown):
                ways = {
                    step + 1
                    for step in ready
                    if (test := self._steps[step].test) is not None and test(shown[at])
                }
        return False

    def _followed(self, ways: set[int], text: str, at: int) -> set[int]:
        """Where one can be without eating a character; the end counts as a step of its own."""
        seen, waiting = set(ways), list(ways)
        while waiting:
            number = waiting.pop()
            if number == self._end:
                return {self._end}
            step = self._steps[number]
            if step.place and not _is_at(step.place, text, at):
                continue
            following = step.to or ((number + 1,) if step.place else ())
            new = [each for each in following if each not in seen]
            seen.update(new)
            waiting.extend(new)
        return seen


@lru_cache(maxsize=500)
def compiled(pattern: str) -> Pattern:
    """Raises Invalid with what is wrong or not supported."""
    parser = Parser(pattern)
    steps: list[Step] = []
    _emit(parser.whole(), steps)
    return Pattern(steps)


def _is_at(place: str, text: str, at: int) -> bool:
    if place == "^":
        return at == 0
    if place == "$":
        return at == len(text)
    word = CLASSES["w"]
    before, after = at > 0 and word(text[at - 1]), at < len(text) and word(text[at])
    return (before != after) is (place == "b")


def _emit(node: Node, steps: list[Step]) -> None:
    """Append the steps of a node; what comes after it is the step that follows."""
    match node:
        case ("eat", test):
            steps.append(Step(test=test))  # type: ignore[arg-type]
        case ("at", place):
            steps.append(Step(place=str(place)))
        case ("all", list(nodes)):
            for each in nodes:
                _emit(each, steps)
        case ("one", list(branches)):
            _emit_branches(branches, steps)
        case ("more", tuple(inner), int(low), high):
            _emit_repeated(inner, low, None if high is None else int(str(high)), steps)
    if len(steps) > MOST_STEPS:
        raise refusal("it is too long, or repeats too much")


def _emit_repeated(inner: Node, low: int, high: int | None, steps: list[Step]) -> None:
    for _ in range(low):
        before = len(steps)
        _emit(inner, steps)
        if len(steps) == before:
            return  # nothing, however often: `(){100}` inside another one would take for ever
    if high is None:
        _emit_loop(inner, steps)
    else:
        _emit_optional(inner, high - low, steps)


def _emit_branches(branches: Sequence[Node], steps: list[Step]) -> None:
    if len(branches) == 1:
        return _emit(branches[0], steps)
    split, ends = len(steps), []
    steps.append(Step())
    starts = []
    for branch in branches:
        starts.append(len(steps))
        _emit(branch, steps)
        ends.append(len(steps))
        steps.append(Step())
    steps[split] = Step(to=tuple(starts))
    for end in ends:
        steps[end] = Step(to=(len(steps),))
    return None


def _emit_loop(inner: Node, steps: list[Step]) -> None:
    split = len(steps)
    steps.append(Step())
    _emit(inner, steps)
    steps.append(Step(to=(split,)))
    steps[split] = Step(to=(split + 1, len(steps)))


def _emit_optional(inner: Node, times: int, steps: list[Step]) -> None:
    splits = []
    for _ in range(times):
        splits.append(len(steps))
        steps.append(Step())
        _emit(inner, steps)
    for split in splits:
        steps[split] = Step(to=(split + 1, len(steps)))
