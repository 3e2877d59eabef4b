"""What does a regular expression that a person typed consist of? What patterns.py does not follow is
refused here, in words."""

from collections.abc import Callable, Iterable

from portal.errors import Invalid

MOST_REPEATS = 100

Test = Callable[[str], bool]
CLASSES: dict[str, Test] = {
    "d": str.isdecimal,
    "w": lambda c: c.isalnum() or c == "_",
    "s": str.isspace,
}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
# ("eat", test) ("at", place) ("all", nodes) ("one", nodes) ("more", node, low, high)
Node = tuple[object, ...]


class Parser:
    """Recursive descent: alternatives of sequences of repeated atoms."""

    def __init__(self, pattern: str) -> None:
        self._pattern, self._at = pattern, 0

    def whole(self) -> Node:
        node = self._alternatives()
        if self._at < len(self._pattern):
            raise refusal("a parenthesis is closed that was never opened")
        return node

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _next(self) -> str:
        character = self._peek()
        if not character:
            raise refusal("it ends too early")
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
                raise refusal("something is repeated twice; put it in parentheses")
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
            raise refusal(f"repeat something from 0 to {MOST_REPEATS} times, the smaller first")
        return first, last

    def _atom(self) -> Node:
        character = self._next()
        if character == "(":
            return self._group()
        if character == "[":
            return ("eat", self._set())
        if character in "*+?":
            raise refusal(f"there is nothing to repeat before “{character}”")
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
                raise refusal("looking around, names and flags in parentheses are not supported")
        node = self._alternatives()
        if self._peek() != ")":
            raise refusal("a parenthesis is not closed")
        self._next()
        return node

    def _escaped(self) -> Test:
        character = self._next()
        kind = CLASSES.get(character.lower())
        if kind is not None:
            return kind if character.islower() else _not(kind)
        if character.isalnum() and character not in ESCAPES:
            raise refusal(f"“\\{character}” is not supported")
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
                raise refusal(f"the range after “{first}” goes backwards or ends oddly")
            return _between(first, last)
        return _same(first)


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


def refusal(why: str) -> Invalid:
    return Invalid(f"This regular expression cannot be used: {why}.", field="conditions")
