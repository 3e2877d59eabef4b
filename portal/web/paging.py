"""Which part of a long list is shown? Fifty at once, by the number of the page in the address."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from flask import request

from portal.web.render import row_id

PAGE = 50
Item = TypeVar("Item")


@dataclass(frozen=True)
class Part(Generic[Item]):
    """One page of `last`; the first is number 1."""

    items: Sequence[Item]
    number: int
    last: int


def part(everything: Sequence[Item]) -> Part[Item]:
    """What `?page=` asks for, or the nearest that there is.

    For what people set up by hand. What tools send is bounded where it is read.
    """
    last = max(1, -(-len(everything) // PAGE))
    number = min(max(1, row_id(request.args.get("page")) or 1), last)
    return Part(everything[(number - 1) * PAGE : number * PAGE], number, last)
