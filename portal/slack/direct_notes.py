"""How is a person told something in Slack, in a direct message? A sentence and a link."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import structlog
from flask import current_app
from sqlalchemy import BigInteger, ForeignKey, Identity, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, db, now
from portal.domain.accounts.models import User
from portal.domain.notifications import outcomes
from portal.jobs.engine import job, wake
from portal.slack import installations, workspace
from portal.slack.errors import Meaning, SlackError, words
from portal.slack.messages.text import escape, link
from portal.slack.people import UserLink

KEPT = timedelta(hours=24)  # an old piece of news is no news
AGAIN = (Meaning.TEMPORARY, Meaning.ASKED_TO_WAIT, Meaning.LINK_DEAD)

log = structlog.get_logger()


class DirectNote(Base):
    """A note that still has to be sent; sent ones are deleted."""

    __tablename__ = "slack_direct_notes"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    slack_user_id: Mapped[str]
    text: Mapped[str]
    path: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
    attempts: Mapped[int] = mapped_column(default=0)
    tells: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), default=list)  # notifications


def send(people: Iterable[User], *, text: str, path: str, tells: Sequence[int] = ()) -> None:
    """Tell those whom we know in Slack, once this transaction has committed. The caller commits.

    `tells` are the notifications that this carries out: their outcome is the note's.
    """
    wanted = select(UserLink).where(UserLink.user_id.in_([person.id for person in people]))
    for known in db.session.scalars(wanted.order_by(UserLink.id)):
        note = DirectNote(
            account_id=known.account_id,
            slack_user_id=known.slack_user_id,
            text=text,
            path=path,
            tells=list(tells),
        )
        db.session.add(note)
        db.session.flush()
        wake(send_note, note_id=note.id)


@job("direct_note:{note_id}")
def send_note(note_id: int) -> None:
    """Post it to the person's id, which opens the direct messages with them."""
    note = db.session.get(DirectNote, note_id)
    installation = installations.of_account(note.account_id) if note else None
    if note is None:
        return
    if installation is None or now() - note.created_at > KEPT:
        outcomes.failed(note.tells, words("not_linked"))
        db.session.delete(note)
        db.session.commit()
        return
    credentials, channel, tells = installation.credentials, note.slack_user_id, note.tells
    url = f"{current_app.config['PUBLIC_URL']}{note.path}"
    text = f"{escape(note.text, 2000)} {link(url, 'See what to do', 60)}"
    db.session.commit()
    try:
        workspace.call(
            credentials,
            "chat.postMessage",
            channel=channel,
            text=text,
            unfurl_links=False,
            unfurl_media=False,
        )
    except SlackError as problem:
        log.warning("direct_note_failed", note_id=note_id, slack_error=problem.code)
        is_notification = problem.meaning is Meaning.LINK_DEAD and bool(tells)
        if problem.meaning in AGAIN and not is_notification:
            _try_again(note_id, problem)
            return
        outcomes.failed(tells, words(problem.code))
    else:
        outcomes.sent(tells)
    _forget(note_id)


def _try_again(note_id: int, problem: SlackError) -> None:
    note = db.session.get(DirectNote, note_id)
    if note is not None:
        note.attempts += 1
        wait = problem.retry_after or min(300, 2**note.attempts)
        wake(send_note, at=now() + timedelta(seconds=wait), note_id=note_id)
    db.session.commit()


def _forget(note_id: int) -> None:
    note = db.session.get(DirectNote, note_id)
    if note is not None:
        db.session.delete(note)
    db.session.commit()
