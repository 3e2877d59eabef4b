"""Which alert actions are there, and what do they have to do with an alert?"""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Select, bindparam, delete, false, func, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts.models import Alert
from portal.domain.escalation.models import AlertEscalation
from portal.domain.routing import matching
from portal.domain.routing.conditions import Field, Subject
from portal.domain.routing.drafts import ActionDraft
from portal.domain.routing.models import (
    ActionChannel,
    ActionRun,
    ActionTest,
    AlertAction,
    alert_action_sources,
)
from portal.domain.routing.triggers import Trigger, TriggerMode
from portal.errors import NotFound

READ_ONCE = "actions_of_sources"  # in the session's info: see subscriptions.tell()
# Built once: every new alert asks it.
OF_SOURCES = (
    select(alert_action_sources.c.source_id, AlertAction)
    .join(AlertAction, AlertAction.id == alert_action_sources.c.action_id)
    .join(AlertAction.channels)
    .where(alert_action_sources.c.source_id.in_(bindparam("source_ids", expanding=True)))
    .options(contains_eager(AlertAction.channels))
    .order_by(AlertAction.id, ActionChannel.channel_name)
)


def visible_to(viewer: User) -> Select[AlertAction]:
    """Alert actions of the viewer's account, if their role shows sources."""
    if not viewer.can(Permission.SEE_ALERT_SOURCES):
        return select(AlertAction).where(false())
    return select(AlertAction).where(AlertAction.account_id == viewer.account_id)


def actions_of(viewer: User) -> list[AlertAction]:
    both = selectinload(AlertAction.sources), selectinload(AlertAction.channels)
    wanted = visible_to(viewer).options(*both)
    return list(db.session.scalars(wanted.order_by(func.lower(AlertAction.name), AlertAction.id)))


def action(viewer: User, action_id: int) -> AlertAction:
    """Raises NotFound, also for an action of another account."""
    found = db.session.scalar(visible_to(viewer).where(AlertAction.id == action_id))
    if found is None:
        raise NotFound("There is no such alert action in your account.")
    return found


def naming(account_id: int | None, channel_id: str) -> Select[AlertAction]:
    """The actions of the account that send alerts to the channel."""
    of_account = AlertAction.account_id == account_id
    return (
        select(AlertAction)
        .where(of_account)
        .where(AlertAction.channels.any(ActionChannel.channel_id == channel_id))
    )


def actions_by_source(source_ids: Collection[int]) -> dict[int, list[AlertAction]]:
    """The actions of each source, with their channels, in one statement."""
    found: dict[int, dict[int, AlertAction]] = {}
    rows = db.session.execute(OF_SOURCES, {"source_ids": sorted(source_ids)}).unique()
    for source_id, each in rows:
        found.setdefault(source_id, {})[each.id] = each
    return {source_id: list(actions.values()) for source_id, actions in found.items()}


def actions_for(alert: Alert) -> list[AlertAction]:
    """The actions that name the alert's source; while facts are reacted to, each is read once."""
    known: dict[int, list[AlertAction]] = db.session.info.get(READ_ONCE, {})
    if alert.source_id not in known:
        known[alert.source_id] = actions_by_source([alert.source_id]).get(alert.source_id, [])
    return known[alert.source_id]


def subjects_of(alerts: Iterable[Alert], actions: Sequence[AlertAction]) -> dict[int, Subject]:
    """By alert id, what the actions' conditions look at; the rest is left empty, and not read."""
    wanted = {alert.id: alert for alert in alerts}
    looks_at = {each["field"] for action in actions for each in action.stored_conditions}
    names: dict[int, str] = {}
    if Field.POLICY in looks_at:
        climbs = select(AlertEscalation.alert_id, AlertEscalation.policy_name)
        found = db.session.execute(climbs.where(AlertEscalation.alert_id.in_(wanted)))
        names = dict(found)
    return {
        alert.id: Subject(
            summary=alert.summary,
            details=alert.details if Field.DETAILS in looks_at else "",
            policy=names.get(alert.id, ""),
            priority=alert.priority.value,
            source=alert.source.name,
            labels=alert.labels,
        )
        for alert in wanted.values()
    }


def subject_of(alert: Alert, actions: Sequence[AlertAction]) -> Subject:
    return subjects_of([alert], actions)[alert.id]


def publishing(alert: Alert, trigger: Trigger) -> list[AlertAction]:
    """The actions that publish such an update of the alert."""
    actions = actions_for(alert)
    return matching.publishing(actions, trigger, subject_of(alert, actions)) if actions else []


def wants_channel(alert: Alert, actions: Iterable[AlertAction]) -> bool:
    """Whether an automatic one that the alert fits wants a channel for each of its alerts."""
    actions = [
        each for each in actions if each.creates_channel and each.mode is TriggerMode.AUTOMATIC
    ]
    if not actions:
        return False
    subject = subject_of(alert, actions)
    return any(matching.fits(each, subject) for each in actions)


def manual_actions(alert: Alert) -> list[tuple[AlertAction, ActionRun | None]]:
    """What a person can have carried out for the alert, and what became of it so far, by name.

    Whoever asks has got the alert through its own `visible_to`.
    """
    wanted = (
        select(AlertAction, ActionRun)
        .join(alert_action_sources, alert_action_sources.c.action_id == AlertAction.id)
        .outerjoin(
            ActionRun, (ActionRun.action_id == AlertAction.id) & (ActionRun.alert_id == alert.id)
        )
        .where(
            alert_action_sources.c.source_id == alert.source_id,
            AlertAction.mode == TriggerMode.MANUAL,
        )
        .options(selectinload(AlertAction.channels), joinedload(ActionRun.run_by))
        .order_by(func.lower(AlertAction.name), AlertAction.id)
        .execution_options(populate_existing=True)
    )
    rows = [(action, run) for action, run in db.session.execute(wanted)]
    subject = subject_of(alert, [action for action, _ in rows])
    return [(action, run) for action, run in rows if run or matching.fits(action, subject)]


def why_not(alert: Alert) -> list[tuple[AlertAction, str]]:
    """The actions of the alert's source, and for each why it has not shown the alert."""
    actions = actions_for(alert)
    subject = subject_of(alert, actions)
    return [(action, matching.why_not(action, subject)) for action in actions]


def tests_of(action: AlertAction) -> list[ActionTest]:
    """The last test in each channel, by the channel's name."""
    wanted = select(ActionTest).where(ActionTest.action_id == action.id)
    return list(db.session.scalars(wanted.order_by(ActionTest.channel_name)))


def forget_tests(action: AlertAction) -> None:
    """Within the caller's transaction."""
    db.session.execute(delete(ActionTest).where(ActionTest.action_id == action.id))


def draft_of(action: AlertAction) -> ActionDraft:
    """The action as a form or a copy of it begins."""
    fallback_id = action.fallback_channel_id
    return ActionDraft(
        name=action.name,
        sources=action.sources,
        channels=[(each.channel_id, each.channel_name) for each in action.channels],
        mode=action.mode,
        triggers=[each for each in Trigger if each in action.trigger_names],
        ended_after=action.ended_after,
        not_resolved_after=action.not_resolved_after,
        conditions=action.conditions,
        needs_all=action.needs_all,
        fallback=(fallback_id, action.fallback_channel_name or "") if fallback_id else None,
        after_storm=action.after_storm,
    )
