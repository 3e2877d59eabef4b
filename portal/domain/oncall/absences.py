"""Since when can a person not be on call? Kept, so that the past is answered as it was."""

from sqlalchemy import select

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Role
from portal.domain.facts import PersonChanged
from portal.domain.oncall.models import Absence


def can_be_on_call(person: User) -> bool:
    """Whoever is deactivated or a stakeholder leaves a gap (product.md section 8.2)."""
    return person.is_active and person.role is not Role.STAKEHOLDER


def note_absence(fact: PersonChanged) -> tuple[()]:
    """Begin or end the person's absence, as they are now; nothing to do later."""
    person = db.session.get_one(User, fact.user_id)
    running = db.session.scalar(
        select(Absence).where(Absence.user_id == person.id, Absence.ends_at.is_(None))
    )
    if can_be_on_call(person):
        if running is not None:
            running.ends_at = now()
    elif running is None:
        db.session.add(Absence(user_id=person.id))
    return ()
