"""When may the next call be made? Budgets and holds, kept in the database for all workers together.

https://docs.slack.dev/apis/web-api/rate-limits: each method has a budget per workspace and minute;
posting has one message per second and channel besides, with short bursts tolerated. A budget is
kept by the generic cell rate algorithm: `paced_at` is the moment at which all that was sent would
have been sent at an even pace.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, db, now
from portal.slack.posted import CLOCKS_AGREE, Lane

POST, UPDATE, HISTORY = "chat.postMessage", "chat.update", "conversations.history"
REPLIES = "conversations.replies"
# What makes and manages a channel.
CREATE, INVITE, TOPIC = "conversations.create", "conversations.invite", "conversations.setTopic"
ARCHIVE, MEMBERSHIPS = "conversations.archive", "users.conversations"
BOOKMARK, PIN = "bookmarks.add", "pins.add"
REFUSALS = "slack_429:{account_id}"  # counted in rate_limits, per minute
STALE = timedelta(seconds=5)  # a place that nobody used in time is given up
# During an outage one lane of the workspace asks every so often whether Slack is back; after a
# quarter of an hour less often.
ASK_AGAIN, ASK_AGAIN_LATER = 1.4, 15.0  # seconds
LONG_OUTAGE = timedelta(minutes=15)
LEASE = timedelta(seconds=15)  # longer than any call takes
LONGEST_SILENCE = timedelta(seconds=20)  # between two questions, the longest of the above


@dataclass(frozen=True)
class Budget:
    """One call per `every` on average, `burst` at once after a quiet time."""

    every: timedelta
    burst: int


CHANNEL = Budget(timedelta(seconds=1), 3)
TIER_2 = Budget(timedelta(seconds=3.4), 2)  # "20+ per minute": 19 at most in any minute
TIER_3 = Budget(timedelta(seconds=1.3), 4)  # "50+ per minute": 50 at most in any minute
BUDGETS = {
    # "Several hundred per minute" for the workspace: 294 at most in any minute.
    POST: Budget(timedelta(seconds=0.215), 15),
    UPDATE: TIER_3,
    HISTORY: TIER_3,
    REPLIES: TIER_3,
    INVITE: TIER_3,
    MEMBERSHIPS: TIER_3,
    CREATE: TIER_2,
    TOPIC: TIER_2,
    ARCHIVE: TIER_2,
    BOOKMARK: TIER_2,
    PIN: TIER_2,
}


# So far was the clock set back since the row was written: what it plans moves along.
AHEAD = (
    "CASE WHEN pace.noted_at > CAST(:at AS timestamptz) + :tolerance"
    " THEN pace.noted_at - :at ELSE CAST('0' AS interval) END"
)
TAKE = text(
    "INSERT INTO slack_paces AS pace (account_id, method, paced_at, noted_at)"  # noqa: S608 - constants
    " VALUES (:account_id, :method, CAST(:at AS timestamptz) + :every, :at)"
    " ON CONFLICT (account_id, method) DO UPDATE"
    f" SET paced_at = greatest(pace.paced_at - {AHEAD}, CAST(:at AS timestamptz)) + :every,"
    f" held_until = pace.held_until - {AHEAD}, noted_at = :at"
    " RETURNING paced_at"
)
HOLD = text(
    "INSERT INTO slack_paces AS pace (account_id, method, paced_at, held_until, noted_at)"  # noqa: S608 - constants
    " VALUES (:account_id, :method, :paced_at, :until, :at)"
    " ON CONFLICT (account_id, method) DO UPDATE"
    f" SET paced_at = greatest(pace.paced_at - {AHEAD}, CAST(:paced_at AS timestamptz)),"
    " held_until = :until, noted_at = :at"
)


class Pace(Base):
    """How much of a method's budget a workspace has used, and until when Slack forbids it."""

    __tablename__ = "slack_paces"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    method: Mapped[str] = mapped_column(primary_key=True)
    paced_at: Mapped[datetime]
    held_until: Mapped[datetime | None]
    noted_at: Mapped[datetime] = mapped_column(default=now)  # when both were good


class Outage(Base):
    """Slack does not answer for this workspace. The row is there until it does again."""

    __tablename__ = "slack_outages"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    since: Mapped[datetime] = mapped_column(default=now)
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    reason: Mapped[str]  # the code of the last one
    next_try_at: Mapped[datetime]  # nobody calls before

    def is_quiet(self, moment: datetime) -> bool:
        """Whether nobody calls yet. So far ahead as only a clock that was set back lets it be, it
        does not count."""
        return moment < self.next_try_at <= moment + LONGEST_SILENCE


def take(account_id: int, method: str, moment: datetime) -> datetime:
    """Take the next place in the workspace's budget: from which moment may this call be made?

    Places are given in the order they are asked for, so that lanes share a budget fairly.
    """
    budget = BUDGETS[method]
    values = {"every": budget.every, **_row(account_id, method, moment)}
    paced_at: datetime = db.session.execute(TAKE, values).scalar_one()
    return paced_at - budget.burst * budget.every


def channel_place(lane: Lane, moment: datetime) -> datetime:
    """Take the next place in the channel: from which moment may a message be posted?"""
    lane.paced_at = max(lane.paced_at, moment) + CHANNEL.every
    return lane.paced_at - CHANNEL.burst * CHANNEL.every


def hold(account_id: int, method: str, until: datetime, moment: datetime) -> None:
    """Slack forbids this method in this workspace. Afterwards it begins anew without a burst."""
    budget = BUDGETS[method]
    paced_at = until + (budget.burst - 1) * budget.every
    values = {"until": until, "paced_at": paced_at, **_row(account_id, method, moment)}
    db.session.execute(HOLD, values)


def _row(account_id: int, method: str, moment: datetime) -> dict[str, Any]:
    key = {"account_id": account_id, "method": method}
    return {"at": moment, "tolerance": CLOCKS_AGREE, **key}


def hold_channel(lane: Lane, until: datetime) -> None:
    """Slack forbids posting in this channel; afterwards one message per second, without a burst."""
    lane.paced_at = max(lane.paced_at, until + (CHANNEL.burst - 1) * CHANNEL.every)
    lane.post_at = until


def is_hurried(lane: Lane, attempted_at: datetime) -> bool:
    """Whether the channel was spoken to faster than its pace just before this attempt.

    Slack's 429 does not say whether it means the channel or the workspace. A channel that was not
    hurried cannot be what Slack means.
    """
    return lane.paced_at > attempted_at + CHANNEL.every * 1.2


def holds(account_id: int, moment: datetime) -> dict[str, datetime]:
    """The methods that Slack forbids now, and until when."""
    wanted = select(Pace.method, Pace.held_until, Pace.noted_at).where(
        Pace.account_id == account_id, Pace.held_until > moment
    )
    found = {
        method: until - _ahead(noted_at, moment)
        for method, until, noted_at in db.session.execute(wanted)
        if until is not None
    }
    return {method: until for method, until in found.items() if until > moment}


def latest(account_id: int, moment: datetime) -> datetime:
    """How late the last place that was given in any of the workspace's budgets can be."""
    paces = db.session.scalars(select(Pace).where(Pace.account_id == account_id)).all()
    return max(
        (
            max(pace.paced_at, pace.held_until or pace.paced_at) - _ahead(pace.noted_at, moment)
            for pace in paces
        ),
        default=moment,
    )


def _ahead(noted_at: datetime, moment: datetime) -> timedelta:
    """So far was the clock set back since."""
    return noted_at - moment if noted_at > moment + CLOCKS_AGREE else timedelta()


def outage(account_id: int) -> Outage | None:
    """The present outage of the workspace's Slack, locked, if there is one."""
    wanted = select(Outage).where(Outage.account_id == account_id).with_for_update()
    return db.session.scalar(wanted.execution_options(populate_existing=True))


def note_outage(account_id: int, reason: str | None, moment: datetime) -> datetime:
    """Slack did not answer: returns when to ask again. The caller's lane is the one that asks.

    Without a reason the one that is known stays.
    """
    found = outage(account_id)
    age = moment - found.since if found else timedelta()
    wait = ASK_AGAIN_LATER if age > LONG_OUTAGE else ASK_AGAIN
    at = moment + timedelta(seconds=wait * random.uniform(0.8, 1.2))  # noqa: S311 - no secret
    noted = insert(Outage).values(
        account_id=account_id,
        since=moment,
        failures=1,
        reason=reason or "unreachable",
        next_try_at=at,
    )
    noted = noted.on_conflict_do_update(
        index_elements=[Outage.account_id],
        set_={
            "failures": Outage.failures + 1,
            "reason": func.coalesce(reason, Outage.reason),
            "next_try_at": at,
        },
    )
    db.session.execute(noted)
    return at


def outage_over(account_id: int) -> bool:
    """Slack has answered, whatever it said. Whether there was an outage."""
    ended = delete(Outage).where(Outage.account_id == account_id).returning(Outage.account_id)
    return db.session.execute(ended).first() is not None
