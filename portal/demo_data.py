"""What is in the demo? An account with people, a policy, sources, an action; a second tenant."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from portal.db import db, now
from portal.domain.accounts import operations as accounts
from portal.domain.accounts import queries
from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Role
from portal.domain.escalation import policies
from portal.domain.escalation import queries as escalation
from portal.domain.escalation.models import EscalationPolicy
from portal.domain.escalation.policies import PolicyDraft, RuleDraft
from portal.domain.escalation.targets import Target, TargetKind
from portal.domain.oncall import operations as schedules
from portal.domain.oncall import queries as oncall
from portal.domain.oncall.durations import Rotation
from portal.domain.oncall.models import Schedule, ScheduleType
from portal.domain.oncall.rules import Layer
from portal.domain.routing import operations as routing
from portal.domain.routing.drafts import ActionDraft
from portal.domain.routing.models import AlertAction
from portal.domain.slack_sources import operations as slack_sources
from portal.domain.slack_sources.models import TYPE as SLACK_TYPE
from portal.domain.slack_sources.models import SlackSource
from portal.domain.slack_sources.operations import Draft, Offer
from portal.domain.sources import operations as sources
from portal.domain.sources.models import AlertSource
from portal.errors import NotFound

ACCOUNT = "Acme"
OWNER = ("olivia@acme.example", "Olivia Owens")
PEOPLE = (
    ("adam@acme.example", "Adam Ahmed", Role.ADMIN),
    ("uma@acme.example", "Uma Ueda", Role.USER),
    ("ada@acme.example", "Ada Lovelace", Role.RESPONDER),
    ("stan@acme.example", "Stan Stake", Role.STAKEHOLDER),
    ("sam@tocsin.example", "Sam Support", Role.SUPPORT),
)
# A second tenant, to see that one account knows nothing of another.
SECOND = ("Beta", "bea@beta.example", "Bea Baker")
SOURCES = {"Prometheus": "prometheus", "Shop checkout": "api", "Ask in Slack": "slack"}
POLICY = "Platform"
ROTA = ("Platform rota", "Europe/Berlin", ("ada@acme.example", "adam@acme.example"))  # weekly
LAST = "uma@acme.example"  # level 2
TIMEOUT = 1  # minutes: short enough to watch
CHANNEL = ("C0ALERTS", "alerts")  # in the pretend workspace Acme
OPEN_CHANNEL = ("C0OPS", "ops")  # anyone may ask there who is on call
PHONE = "+44 20 7946 0958"  # Ada's; a number that is kept free for stories


def seed(kept: dict[str, Any], *, save: Callable[[], None]) -> None:
    """Create what is not there yet. `kept` has the password and receives the integration keys."""
    account = _account(ACCOUNT, *OWNER, kept["password"])
    _account(*SECOND, kept["password"])
    for email, name, role in PEOPLE:
        if queries.by_email(email) is None:
            belongs_to = None if role is Role.SUPPORT else account
            accounts.create_user(
                account=belongs_to, email=email, name=name, role=role, password=kept["password"]
            )
    policy = _policy(account)
    for name, kind in SOURCES.items():
        if name not in kept["integration_keys"]:
            _, key = sources.create(
                account=account,
                name=name,
                type=kind,
                escalation_policy_id=policy.id,
                by=None,
            )
            kept["integration_keys"][name] = key
            save()
    _action(account)
    _open_channel(account, policy)


def _account(name: str, email: str, owner_name: str, password: str) -> Account:
    owner = queries.by_email(email)
    if owner is not None and owner.account is not None:
        return owner.account
    return accounts.create_account(
        name, admin_email=email, admin_name=owner_name, password=password
    )


def _policy(account: Account) -> EscalationPolicy:
    """Two levels: who is on call first, then one person who is always asked."""
    with suppress(NotFound):
        return escalation.policy_named(account, POLICY)
    owner, last = queries.by_email(OWNER[0]), queries.by_email(LAST)
    assert owner is not None and last is not None  # noqa: S101, PT018 - created above
    levels = (Target(TargetKind.SCHEDULE, _rota(owner).id), Target(TargetKind.PERSON, last.id))
    return policies.create(
        PolicyDraft(POLICY, [RuleDraft(TIMEOUT, [target]) for target in levels]),
        account=account,
        by=None,
    )


def _rota(owner: User) -> Schedule:
    name, zone, emails = ROTA
    for known in oncall.schedules_of(owner):
        if known.name == name:
            return known
    people = [queries.by_email(email) for email in emails]
    yesterday = datetime.combine(now().date() - timedelta(days=1), time(9))
    layer = Layer(yesterday, Rotation(days=7), tuple(person.id for person in people if person))
    return schedules.create(
        by=owner, name=name, type=ScheduleType.RECURRING, time_zone=zone, layers=[layer]
    )


def _action(account: Account) -> None:
    of_account = AlertAction.account_id == account.id
    if db.session.scalar(select(AlertAction.id).where(of_account).limit(1)) is not None:
        return
    chosen = db.session.scalars(select(AlertSource).where(AlertSource.account_id == account.id))
    draft = ActionDraft(sources=list(chosen), channels=[CHANNEL])
    routing.create(draft, account=account, by=None)


def _open_channel(account: Account, policy: EscalationPolicy) -> None:
    """One channel in which people without an account may ask, too."""
    wanted = select(AlertSource).where(
        AlertSource.account_id == account.id, AlertSource.type == SLACK_TYPE
    )
    source = db.session.scalars(wanted.order_by(AlertSource.id).limit(1)).one()
    owner, ada = queries.by_email(OWNER[0]), queries.by_email("ada@acme.example")
    if owner is None or ada is None or db.session.get(SlackSource, source.id) is not None:
        return
    draft = Draft(dict([OPEN_CHANNEL]), [Offer(policy.id, "Platform team")], "", True, True)
    slack_sources.save(source.id, draft, by=owner)
    accounts.change_phone(PHONE, by=ada)
