"""What should Slack show in which channel, what does it show, and when may we speak there?"""

from datetime import datetime, timedelta

from sqlalchemy import Computed, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, now
from portal.domain.alerts.models import Alert, TimelineEntry

BEHIND = text("waits")  # of PostedMessage
SUMMARY_BEHIND = text("shown_version < wanted_version AND gave_up_at IS NULL")
CLOCKS_AGREE = timedelta(seconds=2)  # two machines, or one before and after it was set right
# Why direct messages are no longer kept up to date though Slack refused nothing.
ENDED = ("person_left", "person_disconnected")
REPLY_BEHIND = text("shown_version < wanted_version AND gave_up_at IS NULL AND told_by_id IS NULL")


class Message:
    """One message of ours: the version it should show, the version Slack shows, the last attempt.

    An attempt is written down before the call. `uncertain_since` names the first one whose outcome
    nobody knows (a lost answer, a crash): Slack may show the message already.
    """

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    channel_id: Mapped[str]  # C…, or a person's U… for direct messages
    channel_name: Mapped[str]
    conversation_id: Mapped[str | None]  # as Slack answered: the D… id of direct messages
    ts: Mapped[str | None]  # Slack's name of the message, once it is there
    wanted_version: Mapped[int] = mapped_column(default=1)
    shown_version: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    shown_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)  # since the last success
    attempted_at: Mapped[datetime | None]
    uncertain_since: Mapped[datetime | None]
    not_before: Mapped[datetime | None]  # others of the lane go first until then
    last_error: Mapped[str | None]  # Slack's code, or ours: "timeout"
    gave_up_at: Mapped[datetime | None]  # Slack refused even the plain message, or see ENDED
    form: Mapped[str] = mapped_column(default="full")  # then "brief", then "plain": refused.FORMS
    was_reposted: Mapped[bool] = mapped_column(default=False)  # somebody deleted the first one

    @property
    def is_direct(self) -> bool:
        """A person's id in place of a channel's means direct messages to them."""
        return self.channel_id[:1] in ("U", "W")

    @property
    def is_behind(self) -> bool:
        return self.shown_version < self.wanted_version and self.gave_up_at is None


def label(message: Message) -> str:
    """The place in words."""
    name = message.channel_name
    return f"direct messages to {name}" if message.is_direct else f"#{name}"


class Summary(Message, Base):
    """One message that stands for many alerts, while a channel's lane is far behind."""

    __tablename__ = "slack_summaries"
    __table_args__ = (
        Index(
            "ix_slack_summaries_behind",
            "account_id",
            "channel_id",
            "id",
            postgresql_where=SUMMARY_BEHIND,
        ),
    )

    closed_at: Mapped[datetime | None]  # the lane has caught up: new alerts go elsewhere


class PostedMessage(Message, Base):
    """One alert in one channel: by a message of its own, or by a summary it is named in."""

    __tablename__ = "posted_messages"
    __table_args__ = (
        UniqueConstraint("alert_id", "channel_id"),
        Index(
            "ix_posted_messages_behind", "account_id", "channel_id", "id", postgresql_where=BEHIND
        ),
        Index(
            "ix_posted_messages_user_id", "user_id", postgresql_where=text("user_id IS NOT NULL")
        ),
        Index(
            "ix_posted_messages_summary_id",
            "summary_id",
            postgresql_where=text("summary_id IS NOT NULL"),
        ),
        Index(
            "ix_posted_messages_gave_up",
            "account_id",
            "gave_up_at",
            postgresql_where=text("gave_up_at IS NOT NULL"),
        ),
        Index("ix_posted_messages_run_id", "run_id", postgresql_where=text("run_id IS NOT NULL")),
        # Which alert's thread somebody wrote in.
        Index("ix_posted_messages_ts", "channel_id", "ts", postgresql_where=text("ts IS NOT NULL")),
    )

    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))  # a direct message to them
    is_own: Mapped[bool] = mapped_column(default=True)  # has, or shall have, its own message
    summary_id: Mapped[int | None] = mapped_column(ForeignKey("slack_summaries.id"))
    summary_version: Mapped[int | None]  # the summary names it from this version on
    # Stored, since PostgreSQL knows how often a column is true, but takes a comparison of two for
    # true in a third of all rows: among a million it would not use the index to find the few.
    waits: Mapped[bool] = mapped_column(
        Computed(
            "shown_version < wanted_version AND gave_up_at IS NULL AND is_own", persisted=True
        ),
        deferred=True,
    )
    # The manual alert action that a person had carried out, if that is why it is here.
    run_id: Mapped[int | None] = mapped_column(
        ForeignKey("alert_action_runs.id", ondelete="SET NULL")
    )

    alert: Mapped[Alert] = relationship()
    summary: Mapped[Summary | None] = relationship()


class ThreadReply(Message, Base):
    """One update of an alert, told in the thread under its message in a channel.

    What waits together is told together: the first one speaks for the others. Where a summary
    stands for the alert, the thread is the summary's.
    """

    __tablename__ = "slack_thread_replies"
    __table_args__ = (
        UniqueConstraint("posted_message_id", "entry_id"),
        Index(
            "ix_slack_thread_replies_behind",
            "account_id",
            "channel_id",
            "id",
            postgresql_where=REPLY_BEHIND,
        ),
    )

    posted_message_id: Mapped[int] = mapped_column(
        ForeignKey("posted_messages.id", ondelete="CASCADE")
    )
    entry_id: Mapped[int] = mapped_column(ForeignKey("timeline_entries.id"), index=True)
    # The reply that tells this one too, decided when that one is first tried.
    told_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("slack_thread_replies.id", ondelete="SET NULL"), index=True
    )
    thread_ts: Mapped[str | None]  # the message it stands under, decided then as well

    posted: Mapped[PostedMessage] = relationship()
    entry: Mapped[TimelineEntry] = relationship()


Sent = PostedMessage | Summary | ThreadReply


class ThreadComment(Base):
    """A reply that somebody wrote in an alert's thread, and the comment it became: once."""

    __tablename__ = "slack_thread_comments"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    ts: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("timeline_entries.id"), index=True)


class Lane(Base):
    """One channel: its pace, kept here so that all workers together keep it, and its health."""

    __tablename__ = "slack_lanes"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    paced_at: Mapped[datetime] = mapped_column(default=now)  # see pacing.channel_place()
    next_at: Mapped[datetime] = mapped_column(default=now)  # no call at all before this moment
    seen_at: Mapped[datetime] = mapped_column(default=now)  # when all these moments were good
    # Places taken in the budgets for the next message, the next change, and the next look.
    post_at: Mapped[datetime | None]
    update_at: Mapped[datetime | None]
    look_at: Mapped[datetime | None]
    replied_at: Mapped[datetime | None]  # when a reply in a thread had its turn
    # A job will look at the lane by then, under its lock, and before that no new alert could be
    # shown: so whoever brings one need not wake it.
    returns_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    held_reason: Mapped[str | None]  # Slack's code while next_at is a punishment, not the pace
    summary_id: Mapped[int | None] = mapped_column(ForeignKey("slack_summaries.id"))  # open now
    gathered_at: Mapped[datetime | None]  # when alerts were last put into it
    # What Slack said when we last looked into the channel: "ok", or why we may not. Where we may
    # not, a message whose answer was lost may be posted twice.
    look_outcome: Mapped[str | None]
    # What is wrong with the channel itself, until a message gets through.
    problem: Mapped[str | None]
    problem_since: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]

    summary: Mapped[Summary | None] = relationship()

    def keep_time(self, moment: datetime) -> None:
        """Take what was planned along when the clock has been set back: nothing waits an hour."""
        ahead = self.seen_at - moment
        if ahead > CLOCKS_AGREE:
            for name in ("paced_at", "next_at", "post_at", "update_at", "look_at", "returns_at"):
                planned: datetime | None = getattr(self, name)
                if planned is not None:
                    setattr(self, name, planned - ahead)
            self.gathered_at = min(self.gathered_at, moment) if self.gathered_at else None
        if abs(ahead) > timedelta(seconds=1):
            self.seen_at = moment
