"""How often may somebody try? Counted in the database, so that it holds over all processes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock

from sqlalchemy import Integer, Text, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, db, now


class RateCounter(Base):
    """One key in one fixed window. Rows of the last 48 hours are kept: they explain refusals."""

    __tablename__ = "rate_counters"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    window_start: Mapped[datetime] = mapped_column(primary_key=True)
    tries: Mapped[int] = mapped_column(Integer)
    refused: Mapped[int] = mapped_column(Integer)


@dataclass(frozen=True)
class Verdict:
    is_allowed: bool
    retry_after: int  # seconds until the window ends, at least 1


def hit(key: str, *, limit: int, window: timedelta, step: int = 1, number: int = 1) -> Verdict:
    """Count one try, or several that come together, and say whether it is within `limit` per
    `window`: what begins within the limit is.

    It has a transaction of its own (call it outside any other), which does not wait for the disk:
    after a power cut a count may be too low, which harms nobody. With a `step`, this process counts
    so many tries at once and asks again when it has used them: cheaper, and too strict by at most
    a step for each process.
    """
    seconds = int(window.total_seconds())
    moment = now()
    start = datetime.fromtimestamp(moment.timestamp() // seconds * seconds, tz=moment.tzinfo)
    step = max(step, number)
    if _use_spare(key, start, number):
        return Verdict(is_allowed=True, retry_after=0)
    over = (RateCounter.tries >= limit).cast(Integer)
    counted = (
        insert(RateCounter)
        .values(key=key, window_start=start, tries=step, refused=0 if limit > 0 else 1)
        .on_conflict_do_update(
            index_elements=[RateCounter.key, RateCounter.window_start],
            set_={"tries": RateCounter.tries + step, "refused": RateCounter.refused + over},
        )
        .returning(RateCounter.tries)
    )
    db.session.execute(text("SET LOCAL synchronous_commit = off"))
    before = db.session.execute(counted).scalar_one() - step
    db.session.commit()
    if before < limit:
        _keep_spare(key, start, min(step, limit - before) - number)
    left = int((start + window - moment).total_seconds())
    return Verdict(is_allowed=before < limit, retry_after=max(1, left + 1))


_spare: dict[str, tuple[datetime, int]] = {}  # tries of this process, counted and not used yet
_spare_lock = Lock()


def _use_spare(key: str, start: datetime, number: int) -> bool:
    with _spare_lock:
        window, left = _spare.get(key, (start, 0))
        if window != start or left < number:
            return False
        _spare[key] = (start, left - number)
        return True


def _keep_spare(key: str, start: datetime, left: int) -> None:
    with _spare_lock:
        window, had = _spare.get(key, (start, 0))
        _spare[key] = (start, max(0, left + (had if window == start else 0)))


def note_refusal(key: str, *, window: timedelta) -> None:
    """Count that somebody else refused us. The caller commits."""
    seconds = window.total_seconds()
    start = datetime.fromtimestamp(now().timestamp() // seconds * seconds, tz=UTC)
    counted = insert(RateCounter).values(key=key, window_start=start, tries=1, refused=1)
    counted = counted.on_conflict_do_update(
        index_elements=[RateCounter.key, RateCounter.window_start],
        set_={"tries": RateCounter.tries + 1, "refused": RateCounter.refused + 1},
    )
    db.session.execute(counted)


def forget(key: str) -> None:
    """Start counting anew, for instance after a successful sign-in. The caller commits."""
    db.session.execute(delete(RateCounter).where(RateCounter.key == key))


def refused_since(key: str, since: datetime) -> int:
    """How many tries were refused since that moment."""
    counted = select(func.coalesce(func.sum(RateCounter.refused), 0)).where(
        RateCounter.key == key, RateCounter.window_start >= since
    )
    return int(db.session.execute(counted).scalar_one())


def prune(before: datetime) -> None:
    """Delete what explains nothing any more. The caller commits."""
    db.session.execute(delete(RateCounter).where(RateCounter.window_start < before))
