"""What is wrong with a channel, who is told, and where do its alerts go meanwhile? product.md 11.4

Each function works within the caller's transaction, with the lane locked.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import joinedload, selectinload

from portal.db import db
from portal.domain.accounts import queries as accounts
from portal.domain.accounts.models import User
from portal.domain.alerts.models import Alert
from portal.domain.dedicated_channels import progress
from portal.domain.notices import operations as notices
from portal.domain.routing import matching
from portal.domain.routing import queries as routing
from portal.domain.routing.models import ActionRun, AlertAction, alert_action_sources
from portal.domain.routing.triggers import TriggerMode
from portal.slack import direct_notes
from portal.slack.errors import CHANNEL_GONE, words
from portal.slack.posted import SUMMARY_BEHIND, Lane, PostedMessage


def begin(lane: Lane, code: str, moment: datetime) -> list[str]:
    """Mark the channel, and send its alerts elsewhere; the first time, tell whoever can mend it.

    Returns the channels that have work now.
    """
    if code in CHANNEL_GONE:
        progress.note_closed(lane.account_id, lane.channel_id, code, moment)
    is_new = lane.problem is None
    lane.problem = code
    actions = _actions_of(lane)
    if is_new:
        lane.problem_since = moment
        if actions:
            _tell(lane, actions)
    # Each time: an alert that was opened at the same moment did not see the mark yet.
    return sorted({channel for action in actions if (channel := _send_elsewhere(lane, action))})


def over(lane: Lane) -> None:
    """A message got through: whatever was wrong is mended."""
    if lane.problem is not None:
        lane.problem = lane.problem_since = None
        notices.withdraw(lane.account_id, about=_about(lane))


def _actions_of(lane: Lane) -> list[AlertAction]:
    wanted = routing.naming(lane.account_id, lane.channel_id).order_by(AlertAction.id)
    both = selectinload(AlertAction.created_by), selectinload(AlertAction.channels)
    return list(db.session.scalars(wanted.options(*both)))


def _about(lane: Lane) -> str:
    return f"channel:{lane.channel_id}"


def _tell(lane: Lane, actions: list[AlertAction]) -> None:
    """Once for each: on top of every page, and as a direct message in Slack."""
    name = matching.channels_of(actions).get(lane.channel_id, lane.channel_id)
    text = (
        f"Alerts for #{name} cannot be shown. {words(lane.problem or '')} They are kept, and sent"
        " once that is mended."
    )
    people: dict[int, User] = {admin.id: admin for admin in accounts.admins_of(lane.account_id)}
    for action in actions:
        if action.created_by is not None and action.created_by.is_active:
            people[action.created_by.id] = action.created_by
    path = f"/alert-actions/{actions[0].id}"
    notices.tell(people.values(), about=_about(lane), text=text, path=path)
    direct_notes.send(people.values(), text=text, path=path)


def _send_elsewhere(lane: Lane, action: AlertAction) -> str | None:
    """What waits for this channel is shown in the action's other channel, if it names one."""
    if action.fallback_channel_id is None:
        return None
    place = {
        "account_id": lane.account_id,
        "channel_id": action.fallback_channel_id,
        "channel_name": action.fallback_channel_name or action.fallback_channel_id,
    }
    moved = [place | {"alert_id": alert_id} for alert_id in _waiting(lane, action)]
    if moved:
        put = postgresql.insert(PostedMessage).on_conflict_do_nothing()
        db.session.execute(put, moved)
    return action.fallback_channel_id


def _waiting(lane: Lane, action: AlertAction) -> list[int]:
    """The alerts that this action, perhaps beside others, wants shown in the channel."""
    wanted = (
        select(Alert)
        .join(PostedMessage, PostedMessage.alert_id == Alert.id)
        .join(alert_action_sources, alert_action_sources.c.source_id == Alert.source_id)
        .where(
            alert_action_sources.c.action_id == action.id,
            PostedMessage.account_id == lane.account_id,
            PostedMessage.channel_id == lane.channel_id,
            PostedMessage.ts.is_(None),
            SUMMARY_BEHIND,
            # Also what a summary was to stand for that nobody has seen.
            PostedMessage.is_own | PostedMessage.shown_at.is_(None),
        )
        .order_by(Alert.id)
    )
    if action.mode is TriggerMode.MANUAL:
        by_hand = (ActionRun.alert_id == Alert.id) & (ActionRun.action_id == action.id)
        wanted = wanted.join(ActionRun, by_hand)
    if not action.stored_conditions:
        return list(db.session.scalars(wanted.with_only_columns(Alert.id)))
    found = list(db.session.scalars(wanted.options(joinedload(Alert.source))))
    subjects = routing.subjects_of(found, [action])
    return [alert.id for alert in found if matching.fits(action, subjects[alert.id])]
