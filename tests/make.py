"""How does a test get an account, people, a source or an alert in one line?

Call these within an app context. What they return belongs to no session and can be read for ever.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from typing import Any, TypeVar

from flask import current_app
from flask.testing import FlaskClient
from sqlalchemy import inspect

from portal.db import Base, db, now
from portal.domain.accounts.models import Account, SignIn, User
from portal.domain.accounts.permissions import Role
from portal.domain.accounts.secrets import hash_password, new_token, token_hash
from portal.domain.alerts import receive
from portal.domain.alerts.incoming import EventType, IncomingEvent
from portal.domain.alerts.models import Alert
from portal.domain.escalation import policies
from portal.domain.escalation.models import EscalationPolicy
from portal.domain.escalation.policies import PolicyDraft, RuleDraft
from portal.domain.escalation.targets import Target, TargetKind
from portal.domain.oncall import durations
from portal.domain.oncall import operations as schedules
from portal.domain.oncall.models import Override, Schedule, ScheduleType, StaticShift
from portal.domain.oncall.rules import Layer
from portal.domain.routing.models import ActionChannel, AlertAction
from portal.domain.slack_sources.models import OfferedPolicy, SlackSource, SlackSourceChannel
from portal.domain.sources.models import AlertSource
from portal.slack.installations import LinkState, SlackInstallation
from portal.slack.scopes import ALL

PASSWORD = "correct horse battery"
numbers = count(1)
Row = TypeVar("Row", bound=Base)


def make_account(name: str | None = None) -> Account:
    return _kept(Account(name=name or f"Account {next(numbers)}"))


def make_user(
    account: Account | None = None,
    *,
    role: Role = Role.RESPONDER,
    name: str | None = None,
    email: str | None = None,
) -> User:
    """A person whose password is PASSWORD, in a new account unless one is given.

    Support staff belong to no account.
    """
    number = next(numbers)
    if account is None and role is not Role.SUPPORT:
        account = make_account()
    return _kept(
        User(
            account_id=account.id if account else None,
            email=email or f"person-{number}@example.com",
            name=name or f"Person {number}",
            role=role,
            password_hash=_password_hash(),
        )
    )


def make_source(
    account: Account | None = None, *, name: str | None = None, type: str = "api"
) -> tuple[AlertSource, str]:
    """A source and its integration key."""
    key = new_token()
    source = AlertSource(
        account_id=(account or make_account()).id,
        name=name or f"Source {next(numbers)}",
        type=type,
        integration_key_hash=token_hash(key),
    )
    return _kept(source), key


def make_policy(
    account: Account | None = None,
    *levels: Sequence[User | Schedule],
    name: str | None = None,
    timeout_minutes: int = 5,
    delay_minutes: int = 0,
    repeats: int = 0,
    routing_key: str = "",
    source: AlertSource | None = None,
) -> EscalationPolicy:
    """A policy with these people and schedules, level by level; the source uses it, if one is given."""
    with current_app.app_context():
        rules = [
            RuleDraft(timeout_minutes, [_target(each) for each in targets])
            for targets in levels or ([make_user(account)],)
        ]
        policy = policies.create(
            PolicyDraft(
                name=name or f"Policy {next(numbers)}",
                rules=rules,
                delay_minutes=delay_minutes,
                repeats=repeats,
                routing_key=routing_key,
            ),
            account=account or make_account(),
            by=None,
        )
        if source is not None:
            db.session.get_one(AlertSource, source.id).escalation_policy_id = policy.id
            db.session.commit()
        return _loaded(policy)


def make_slack_settings(
    source: AlertSource,
    *offered: EscalationPolicy,
    channel_id: str = "C0QUESTIONS",
    channel_name: str = "questions",
    anyone_may_ask: bool = True,
    shows_phone: bool = False,
) -> SlackSource:
    """What a source of the type Slack offers in one channel."""
    ours = {"account_id": source.account_id}
    return _kept(
        SlackSource(
            source_id=source.id,
            anyone_may_ask=anyone_may_ask,
            shows_phone=shows_phone,
            channels=[SlackSourceChannel(channel_id=channel_id, channel_name=channel_name, **ours)],
            offers=[
                OfferedPolicy(position=position, policy_id=policy.id, **ours)
                for position, policy in enumerate(offered)
            ],
            **ours,
        )
    )


def make_alert(
    source: AlertSource | None = None,
    *,
    summary: str = "Disk full on db-1",
    details: str = "",
    alert_key: str | None = None,
    priority: str | None = None,
    routing_key: str | None = None,
) -> Alert:
    """A pending alert, opened by an event as in real life: subscribers react to it."""
    source_id = (source or make_source()[0]).id
    event = IncomingEvent(
        EventType.ALERT,
        alert_key=alert_key,
        summary=summary,
        details=details,
        priority=priority,
        routing_key=routing_key,
    )
    with current_app.app_context():
        alert_id = receive.receive(db.session.get_one(AlertSource, source_id), event).alert_id
        return _loaded(db.session.get_one(Alert, alert_id))


def make_action(
    *sources: AlertSource,
    account: Account | None = None,
    channel_id: str = "C0123456789",
    channel_name: str = "ops",
    name: str = "",
    **more: Any,
) -> AlertAction:
    """Alerts of these sources (a new one if none is given) appear in the channel."""
    chosen = list(sources) or [make_source(account)[0]]
    with current_app.app_context():
        action = AlertAction(
            account_id=chosen[0].account_id,
            name=name or f"Alerts to #{channel_name}",
            channels=[
                ActionChannel(
                    account_id=chosen[0].account_id,
                    channel_id=channel_id,
                    channel_name=channel_name,
                )
            ],
            sources=[db.session.get_one(AlertSource, source.id) for source in chosen],
            **more,
        )
        db.session.add(action)
        db.session.commit()
        return _loaded(action)


def make_installation(
    by: User,
    *,
    team_id: str = "T0ACME",
    team_name: str = "Acme Corp",
    state: LinkState = LinkState.LINKED,
    state_reason: str | None = None,
    bot_token: str = "xoxb-secret-token",
    scopes: Sequence[str] = ALL,
) -> SlackInstallation:
    """The account of this admin is linked to a workspace."""
    return _kept(
        SlackInstallation(
            account_id=by.account_id,
            team_id=team_id,
            team_name=team_name,
            team_url=f"https://{team_id.lower()}.slack.com/",
            app_id="A1",
            bot_user_id="U0BOT",
            bot_id="B1",
            bot_token=bot_token,
            scopes=list(scopes),
            state=state,
            state_reason=state_reason,
            installed_by_id=by.id,
        )
    )


def make_schedule(
    *people: User,
    name: str | None = None,
    time_zone: str = "UTC",
    rotation: str = "P1W",
    starts_on: str = "2020-01-06T00:00",
    layers: Sequence[Layer] | None = None,
) -> Schedule:
    """A recurring schedule of the first person's account, in whose one layer they take turns.

    It holds from now on, with layers of its own if `layers` are given.
    """
    one = Layer(
        datetime.fromisoformat(starts_on),
        durations.parse(rotation),
        tuple(person.id for person in people),
    )
    return _schedule(people[0], ScheduleType.RECURRING, name, time_zone, layers or [one])


def make_static_schedule(account: Account, *, name: str | None = None) -> Schedule:
    """A schedule of single shifts, in UTC, without any yet."""
    return _schedule(make_user(account), ScheduleType.STATIC, name, "UTC", [])


def make_override(
    schedule: Schedule, user: User, starts_at: datetime, ends_at: datetime
) -> Override:
    """An override that the person entered."""
    return _kept(
        Override(
            schedule_id=schedule.id,
            user_id=user.id,
            starts_at=starts_at,
            ends_at=ends_at,
            created_by_id=user.id,
        )
    )


def make_shift(
    schedule: Schedule, user: User, starts_at: datetime, ends_at: datetime
) -> StaticShift:
    """A shift of a static schedule."""
    return _kept(
        StaticShift(schedule_id=schedule.id, user_id=user.id, starts_at=starts_at, ends_at=ends_at)
    )


def sign_in(client: FlaskClient, user: User) -> str:
    """Sign the person in with this browser; returns the token that the browser now holds."""
    token = new_token()
    with client.application.app_context():
        db.session.add(
            SignIn(
                user_id=user.id,
                token_hash=token_hash(token),
                user_agent="a browser in a test",
                address="127.0.0.1",
                expires_at=now() + timedelta(days=14),
            )
        )
        db.session.commit()
    with client.session_transaction() as session:
        session["sign_in"], session["_user_id"] = token, user.get_id()
    return token


def _target(named: User | Schedule) -> Target:
    kind = TargetKind.PERSON if isinstance(named, User) else TargetKind.SCHEDULE
    return Target(kind, named.id)


def _schedule(
    person: User, type: ScheduleType, name: str | None, time_zone: str, layers: Sequence[Layer]
) -> Schedule:
    account = db.session.get_one(Account, person.account_id)
    by = make_user(account, role=Role.USER)
    with current_app.app_context():
        schedule = schedules.create(
            by=db.session.get_one(User, by.id),
            name=name or f"Schedule {next(numbers)}",
            type=type,
            time_zone=time_zone,
            layers=layers,
        )
        return _loaded(schedule)


def _kept(row: Row) -> Row:
    """Committed in a context of its own: the test's own session notices nothing."""
    with current_app.app_context():
        db.session.add(row)
        db.session.commit()
        return _loaded(row)


def _loaded(row: Row) -> Row:
    db.session.refresh(row)
    for name in inspect(type(row)).relationships.keys():  # noqa: SIM118 - not a dictionary
        getattr(row, name)
    return row


@cache
def _password_hash() -> str:
    return hash_password(PASSWORD)  # argon2id is slow, as it should be: once is enough
