"""Does a text match a regular expression that a person typed? In time that only the lengths decide.

Python's own engine tries one way after the other, and a pattern such as `(a+)+$` has it try for
hours: a worker that receives events would hang. Here all ways are followed at once, one character
after the other (K. Thompson, 1968; https://swtch.com/~rsc/regexp/regexp1.html), so that a text costs
at most its length times the pattern's. What that cannot do, back-references and looking around,
is refused in words.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from portal.errors import Invalid

MOST_STEPS = 300  # of a compiled pattern: what is repeated counts as often
MOST_REPEATS = 100
SEEN = 10_000  # characters of a text; what follows is not looked at

Test = Callable[[str], bool]
CLASSES: dict[str, Test] = {
    "d": str.isdecimal,
    "w": lambda c: c.isalnum() or c == "_",
    "s": str.isspace,
}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}


class Step(NamedTuple):
    """One step of a compiled pattern: eat a character, be at a place, or go on at `to`."""

    test: Test | None = None
    place: str = ""  # "^", "$", "b" or "B"
    to: tuple[int, ...] = ()


Node = tuple[
    object, ...
]  # ("eat", test) ("at", place) ("all", nodes) ("one", nodes) ("more", node, low, high)


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
    parser = _Parser(pattern)
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


class _Parser:
    """Recursive descent: alternatives of sequences of repeated atoms."""

    def __init__(self, pattern: str) -> None:
        self._pattern, self._at = pattern, 0

    def whole(self) -> Node:
        node = self._alternatives()
        if self._at < len(self._pattern):
            raise _refusal("a parenthesis is closed that was never opened")
        return node

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _next(self) -> str:
        character = self._peek()
        if not character:
            raise _refusal("it ends too early")
        self._at += 1
        return character

    def _alternatives(self) -> Node:
        branches = [self._sequence()]
        while self._peek() == "|":
            self._next()
            branches.append(self._sequence())
        return ("one", branches)

    def _sequence(self) -> Node:
        nodes = []
        while self._peek() not in ("", "|", ")"):
            nodes.append(self._repeated(self._atom()))
        return ("all", nodes)

    def _repeated(self, node: Node) -> Node:
        bounds = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        has_more = False
        while (sign := self._peek()) in ("*", "+", "?") or (sign == "{" and self._counts()):
            if has_more and sign != "?":
                raise _refusal("something is repeated twice; put it in parentheses")
            self._next()
            if not (has_more and sign == "?"):  # “as few as possible” finds the same texts
                low, high = bounds[sign] if sign in bounds else self._count()
                node = ("more", node, low, high)
            has_more = True
        return node

    def _counts(self) -> bool:
        inside, closed, _ = self._pattern[self._at + 1 :].partition("}")
        low, comma, high = inside.partition(",")
        return bool(closed) and _is_number(low) and (not comma or not high or _is_number(high))

    def _count(self) -> tuple[int, int | None]:
        inside = self._pattern[self._at :].partition("}")[0]
        self._at += len(inside) + 1
        low, comma, high = inside.partition(",")
        first, last = int(low), int(high) if high else None if comma else int(low)
        if first > MOST_REPEATS or (last is not None and not first <= last <= MOST_REPEATS):
            raise _refusal(f"repeat something from 0 to {MOST_REPEATS} times, the smaller first")
        return first, last

    def _atom(self) -> Node:
        character = self._next()
        if character == "(":
            return self._group()
        if character == "[":
            return ("eat", self._set())
        if character in "*+?":
            raise _refusal(f"there is nothing to repeat before “{character}”")
        if character == ".":
            return ("eat", lambda c: c != "\n")
        if character in "^$":
            return ("at", character)
        if character == "\\":
            if self._peek() in ("b", "B"):
                return ("at", self._next())
            return ("eat", self._escaped())
        return ("eat", _same(character))

    def _group(self) -> Node:
        if self._peek() == "?":
            self._next()
            if self._next() != ":":
                raise _refusal("looking around, names and flags in parentheses are not supported")
        node = self._alternatives()
        if self._peek() != ")":
            raise _refusal("a parenthesis is not closed")
        self._next()
        return node

    def _escaped(self) -> Test:
        character = self._next()
        kind = CLASSES.get(character.lower())
        if kind is not None:
            return kind if character.islower() else _not(kind)
        if character.isalnum() and character not in ESCAPES:
            raise _refusal(f"“\\{character}” is not supported")
        return _same(ESCAPES.get(character, character))

    def _set(self) -> Test:
        is_opposite = self._peek() == "^"
        if is_opposite:
            self._next()
        tests: list[Test] = []
        while self._peek() != "]" or not tests:
            tests.append(self._member())
        self._next()
        found = _any(tests)
        return _not(found) if is_opposite else found

    def _member(self) -> Test:
        first = self._next()
        if first == "\\":
            return self._escaped()
        if self._pattern[self._at : self._at + 1] == "-" and (
            self._pattern[self._at + 1 : self._at + 2] not in ("", "]")
        ):
            self._next()
            last = self._next()
            if last == "\\" or last < first:
                raise _refusal(f"the range after “{first}” goes backwards or ends oddly")
            return _between(first, last)
        return _same(first)


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
        raise _refusal("it is too long, or repeats too much")


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


def _same(character: str) -> Test:
    folded = character.casefold()
    return lambda c: c.casefold() == folded


def _between(first: str, last: str) -> Test:
    return lambda c: any(first <= each <= last for each in (c, c.lower(), c.upper()))


def _not(test: Test) -> Test:
    return lambda c: not test(c)


def _any(tests: Iterable[Test]) -> Test:
    kept = tuple(tests)
    return lambda c: any(test(c) for test in kept)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 5


def _refusal(why: str) -> Invalid:
    return Invalid(f"This regular expression cannot be used: {why}.", field="conditions")
