"""Which moment does a wall clock mean, also where clocks change?"""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

SECOND = timedelta(seconds=1)


@lru_cache(maxsize=4096)  # layers ask for the same hand-offs and restrictions again and again
def to_utc(local: datetime, zone: tzinfo) -> datetime:
    """The moment at which clocks of the zone show `local` (naive).

    A time that does not exist moves to the next that does; of two equal ones the first counts
    (product.md section 8.2).
    """
    found = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == local:
        return found
    return _end_of_gap(local.replace(tzinfo=zone, fold=1).astimezone(UTC), found, zone)


def to_local(moment: datetime, zone: tzinfo) -> datetime:
    """What clocks of the zone show at that moment, naive."""
    return moment.astimezone(zone).replace(tzinfo=None)


def _end_of_gap(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The moment at which the clocks were put forward, which lies in `(before, after]`."""
    old = before.astimezone(zone).utcoffset()
    while after - before > SECOND:
        middle = before + timedelta(seconds=(after - before) // SECOND // 2)
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after
