"""Who is told what, and when is it over?"""

from collections.abc import Iterable

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.facts import NoticeTold, announce
from portal.domain.notices.models import Notice
from portal.errors import NotFound


def tell(people: Iterable[User], *, about: str, text: str, path: str) -> None:
    """Tell each person once, until withdraw(). Within the caller's transaction.

    Dismissing it does not make it come back: whoever has seen it knows.
    """
    for person in people:
        values = {"account_id": person.account_id, "user_id": person.id, "about": about}
        told = insert(Notice).values(**values, text=text, path=path)
        new = told.on_conflict_do_nothing().returning(Notice.id)
        if (notice_id := db.session.scalar(new)) is not None:
            announce(NoticeTold(notice_id))


def withdraw(account_id: int, *, about: str) -> None:
    """It is over: nobody needs to read it any more, and the next time is told anew."""
    db.session.execute(delete(Notice).where(Notice.account_id == account_id, Notice.about == about))


def dismiss(notice_id: int, *, by: User) -> None:
    """The person has seen it. Raises NotFound for somebody else's."""
    found = db.session.scalar(select(Notice).where(Notice.id == notice_id, Notice.user_id == by.id))
    if found is None:
        raise NotFound("There is no such notice.")
    found.dismissed_at = found.dismissed_at or now()
    db.session.commit()
