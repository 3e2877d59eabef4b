"""How does a table become CSV that says in a spreadsheet what it says here?"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

# A spreadsheet takes a cell that begins so for a formula, and formulas can send data away
# (owasp.org/www-community/attacks/CSV_Injection).
BEGINS_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r", "\n")
BYTE_ORDER_MARK = "\ufeff"  # without it Excel does not read UTF-8


def of(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """One line at a time, as RFC 4180 has them; an apostrophe makes every formula plain text."""
    yield BYTE_ORDER_MARK + _line(head)
    for row in rows:
        yield _line(row)


def _line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow(map(_harmless, cells))
    return line.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" ").startswith(BEGINS_FORMULA) else cell
