"""What may JSON from strangers contain, so that PostgreSQL can keep it and nobody is harmed?"""

import json
import math
import re
from typing import Any

from portal.errors import Invalid

DEEPEST = 50  # levels; far below Python's and PostgreSQL's own limits
# PostgreSQL keeps no NUL, and UTF-8 no half of a surrogate pair.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def parse_object(raw: bytes) -> dict[str, Any]:
    """Return the JSON object (RFC 8259) with every text in it cleaned.

    Raises Invalid for anything else: other encodings than UTF-8, NaN, numbers beyond a double,
    names given twice, nesting deeper than DEEPEST.
    """
    try:
        value = json.loads(
            raw.decode("utf-8-sig"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_finite,
        )
    except UnicodeDecodeError:
        raise Invalid("The body is not UTF-8.") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError as problem:
        raise Invalid(f"The body is not JSON: {problem}.") from None
    if not isinstance(value, dict):
        raise Invalid("The body must be a JSON object.")
    cleaned: dict[str, Any] = _cleaned(value, 1)
    return cleaned


def _cleaned(value: Any, depth: int) -> Any:
    if depth > DEEPEST:
        raise _too_deep()
    if isinstance(value, str):
        return UNSTORABLE.sub("", value)
    if isinstance(value, list):
        return [_cleaned(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_cleaned(name, depth): _cleaned(item, depth + 1) for name, item in value.items()}
    return value


def _too_deep() -> Invalid:
    return Invalid(f"The body is nested deeper than {DEEPEST} levels.")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            name = UNSTORABLE.sub("", name)[:80]
            raise Invalid(f"The field “{name}” is given twice.", field=name)
        found[name] = value
    return found


def _refuse_constant(name: str) -> None:
    raise Invalid(f"The body is not JSON: {name} is not a JSON number.")


def _integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:  # thousands of digits
        raise Invalid("The body has a number that is too large.") from None


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise Invalid("The body has a number that is too large.")
    return number
