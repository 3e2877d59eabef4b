"""How does a notice reach people who do not look at a page? By e-mail, once."""

from collections.abc import Iterable
from datetime import timedelta

import structlog
from flask import current_app

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.facts import NoticeTold
from portal.domain.notices.models import Notice
from portal.jobs.engine import Wake, job
from portal.mail import letters, smtp
from portal.mail.smtp import MailError

KEPT = timedelta(hours=24)  # an old piece of news is no news

log = structlog.get_logger()


def hand_over(fact: NoticeTold) -> Iterable[Wake]:
    is_possible = smtp.is_configured()
    return [Wake(send_notice, {"notice_id": fact.notice_id})] if is_possible else []


@job("notice_mail:{notice_id}", queue="mail")
def send_notice(notice_id: int) -> None:
    """Send it, unless it is over or was seen. A temporary problem has the job tried again."""
    notice = db.session.get(Notice, notice_id)
    if notice is None or notice.dismissed_at or now() - notice.created_at > KEPT:
        return
    person = db.session.get_one(User, notice.user_id)
    if not person.is_active or not smtp.is_configured():
        return
    public_url = current_app.config["PUBLIC_URL"]
    letter = letters.written(
        letters.of_notice(notice.text, notice.path, public_url),
        to=person.email,
        sender=current_app.config["MAIL_FROM"],
        at=now(),
        message_id=letters.message_id(f"notice-{notice.id}", public_url),
    )
    db.session.commit()
    try:
        smtp.send(letter)
    except MailError as problem:
        if not problem.is_final:
            raise
        log.warning("notice_mail_refused", notice_id=notice_id, said=str(problem))
