"""How is one fault kept from stopping all the others that are due at the same moment?"""

from collections.abc import Callable, Collection
from datetime import datetime

import structlog
from sqlalchemy.exc import OperationalError

from portal.db import db

BATCH = 500  # rows in one transaction: a click on one of them waits that long at most

log = structlog.get_logger()


def take(
    ids: list[int],
    moment: datetime,
    work: Callable[[Collection[int], datetime], int],
    postpone: Callable[[int], None],
) -> int:
    """Do the work for these rows, many in a transaction; how many were done.

    Where many at once fail by a fault of ours each is tried by itself, and the one that fails alone
    is postponed.
    """
    pieces = [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]
    return sum(_take(piece, moment, work, postpone) for piece in pieces)


def _take(
    ids: list[int],
    moment: datetime,
    work: Callable[[Collection[int], datetime], int],
    postpone: Callable[[int], None],
) -> int:
    try:
        return work(ids, moment)
    except OperationalError:  # the database is away or busy, which the next turn may find cured
        raise
    except Exception:
        db.session.rollback()
        if len(ids) > 1:
            return sum(_take([one], moment, work, postpone) for one in ids)
        log.exception("step_failed", work=f"{work.__module__}.{work.__name__}", id=ids[0])
        postpone(ids[0])
        return 0
