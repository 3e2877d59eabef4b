"""What has somebody still to read?"""

from sqlalchemy import select

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.notices.models import Notice


def unread_by(person: User) -> list[Notice]:
    """The person's own notices, the oldest first."""
    wanted = select(Notice).where(Notice.user_id == person.id, Notice.dismissed_at.is_(None))
    return list(db.session.scalars(wanted.order_by(Notice.id)))
