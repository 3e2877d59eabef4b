"""What is counted as it happens? In rows, so that every process shows the same numbers.

Several rows ("shards") share one counter, so that those who count at once seldom meet.
"""

from collections.abc import Iterable, Mapping
from zlib import crc32

from sqlalchemy import BigInteger, Float, Text, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, db

SHARDS = 16
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)

ADD = text(
    "INSERT INTO counters (name, label, shard, value)"
    " SELECT name, label, :shard, value FROM unnest(CAST(:names AS text[]),"
    " CAST(:labels AS text[]), CAST(:values AS float8[])) AS counted (name, label, value)"
    " ON CONFLICT (name, label, shard) DO UPDATE SET value = counters.value + excluded.value"
)

Counts = dict[tuple[str, str], float]


class Counter(Base):
    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    label: Mapped[str] = mapped_column(Text, primary_key=True)
    shard: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    value: Mapped[float] = mapped_column(Float)


def calls(method: str, outcome: str) -> Counts:
    """One call of a Web API method; `outcome` is "ok" or Slack's code."""
    return {("slack_calls", f"{method} {outcome}"): 1}


def first_shown(seconds: Iterable[float]) -> Counts:
    """So long each of these alerts took from its event to Slack."""
    counts: Counts = {}
    for each in seconds:
        bucket = next((str(b) for b in BUCKETS if each <= b), "+Inf")
        added = {("shown", bucket): 1.0, ("shown_seconds", ""): max(0.0, each)}
        for key, value in added.items():
            counts[key] = counts.get(key, 0) + value
    return counts


def add(counts: Mapping[tuple[str, str], float], *, shard: str) -> None:
    """Count within the running transaction. Callers with the same shard wait for each other."""
    if counts:
        keys = sorted(counts)
        values = {
            "names": [name for name, _ in keys],
            "labels": [label for _, label in keys],
            "values": [float(counts[key]) for key in keys],
        }
        db.session.execute(ADD, values | {"shard": crc32(shard.encode()) % SHARDS})


def totals(name: str) -> dict[str, float]:
    """Label → value, over all shards."""
    wanted = select(Counter.label, func.sum(Counter.value)).where(Counter.name == name)
    rows = db.session.execute(wanted.group_by(Counter.label).order_by(Counter.label))
    return {label: float(value) for label, value in rows}
