"""Which alerts does a summary stand for, one by one? A paged modal in which each can be answered.

product.md 11.3. Its order does not change while it is open, so that nobody presses what has just
moved there: alerts that were open when it was asked for, high priority first, then the newest.
"""

from flask import current_app
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import joinedload

from portal.db import db
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts import operations as alerts
from portal.domain.alerts import queries
from portal.domain.alerts.models import Alert, Priority, Via
from portal.errors import NotFound
from portal.slack.messages import summary_modal
from portal.slack.messages.summary import LIST
from portal.slack.messages.summary_modal import ACKNOWLEDGE, NEWER, OLDER, PAGE, RESOLVE, Page
from portal.slack.posted import PostedMessage, Summary
from portal.slack.windows import SAID, Kind, Next, View, Window

NOT_AVAILABLE = "These alerts are not available here."
LONGEST_ID = 18  # digits of what PostgreSQL can count


def _listed(window: Window) -> View:
    person, summary_id = window.person, int(window.subject["summary_id"])
    summary = db.session.get(Summary, summary_id)
    if (
        summary is None
        or summary.account_id != person.account_id
        or not person.can(Permission.SEE_ALERTS)
    ):
        raise NotFound(NOT_AVAILABLE)
    named = select(PostedMessage.alert_id).where(PostedMessage.summary_id == summary_id)
    was_open = or_(Alert.resolved_at.is_(None), Alert.resolved_at >= window.asked_at)
    wanted = queries.visible_to(person).where(Alert.id.in_(named), was_open)
    number = int(
        db.session.execute(select(func.count()).select_from(wanted.subquery())).scalar_one()
    )
    last = max(1, -(-number // PAGE))
    page = min(_page(window), last)
    order: tuple[ColumnElement[bool] | ColumnElement[int], ...] = (
        Alert.priority == Priority.LOW,
        Alert.id.desc(),
    )
    shown = wanted.order_by(*order).offset((page - 1) * PAGE).limit(PAGE)
    people = joinedload(Alert.acknowledged_by), joinedload(Alert.resolved_by)
    return summary_modal.summary_list(
        Page(
            alerts=list(db.session.scalars(shown.options(joinedload(Alert.source), *people))),
            number=number,
            page=page,
            last=last,
            may_respond=person.can(Permission.RESPOND_TO_ALERTS),
        ),
        f"{current_app.config['PUBLIC_URL']}/alerts",
        str(window.subject.get(SAID, "")),
    )


def _turn(pages: int, window: Window) -> Next:
    return Next(LIST, window.subject | {"page": max(1, _page(window) + pages)})


def _acknowledge(window: Window, value: str) -> None:
    alerts.acknowledge(_alert_id(value), by=window.person, via=Via.SLACK)


def _resolve(window: Window, value: str) -> None:
    alerts.resolve(_alert_id(value), by=window.person, via=Via.SLACK)


def _page(window: Window) -> int:
    return int(window.subject.get("page", 1))


def _alert_id(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) <= LONGEST_ID):
        raise NotFound(NOT_AVAILABLE)
    return int(value)


MODALS: dict[str, Kind] = {
    LIST: Kind(
        _listed,
        actions={
            ACKNOWLEDGE: _acknowledge,
            RESOLVE: _resolve,
            NEWER: lambda window, value: _turn(-1, window),
            OLDER: lambda window, value: _turn(1, window),
        },
    )
}
