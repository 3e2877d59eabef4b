"""What changes the Slack settings of an alert source? One transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.audit import log
from portal.domain.audit.actions import AuditAction
from portal.domain.escalation import queries as escalation
from portal.domain.escalation.models import EscalationPolicy
from portal.domain.routing.drafts import CHANNEL_ID
from portal.domain.slack_sources import queries
from portal.domain.slack_sources.models import (
    LABEL,
    TYPE,
    OfferedPolicy,
    SlackSource,
    SlackSourceChannel,
)
from portal.domain.sources import queries as sources
from portal.domain.sources.models import AlertSource
from portal.errors import Conflict, Invalid, NotFound

MOST_POLICIES = 10
MOST_CHANNELS = 100
LONGEST_LABEL, LONGEST_NAME = 150, 75  # a display name is a radio button's text in Slack


@dataclass(frozen=True)
class Offer:
    """A policy to offer, under a name of its own if `display_name` is not empty."""

    policy_id: int
    display_name: str = ""


@dataclass(frozen=True)
class Draft:
    """The settings as they were typed. `channels` are ids with the names that are shown."""

    channels: dict[str, str] = field(default_factory=dict)
    offers: Sequence[Offer] = ()
    label: str = ""
    anyone_may_ask: bool = False
    shows_phone: bool = False


def save(source_id: int, draft: Draft, *, by: User) -> SlackSource:
    """Replace the Slack settings of a source.

    Raises Invalid, whose field is a name of Draft or "offers-<index>"; Conflict when a channel
    belongs to another Slack source.
    """
    source = _locked(source_id, by)
    _check_channels(source, draft.channels)
    offers, label = _offers(draft.offers, by), _label(draft.label)
    settings = db.session.get(SlackSource, source.id)
    before = _described(settings) if settings else {}
    if settings is None:
        settings = SlackSource(source_id=source.id, account_id=source.account_id, source=source)
        db.session.add(settings)
    settings.label, settings.anyone_may_ask = label, draft.anyone_may_ask
    settings.shows_phone = draft.shows_phone and draft.anyone_may_ask
    _replace(settings, draft.channels, offers)
    changed = _described(settings)
    if changed != before:
        _audit(settings, by, **changed, **log.changes(before, changed))
    db.session.commit()
    return settings


def clear_channels(account_id: int) -> None:
    """Forget every channel of the account's Slack sources. Within the caller's transaction."""
    ours = delete(SlackSourceChannel).where(SlackSourceChannel.account_id == account_id)
    db.session.execute(ours)


def _replace(settings: SlackSource, channels: dict[str, str], offers: list[OfferedPolicy]) -> None:
    try:
        with db.session.begin_nested():
            settings.offers, settings.channels = [], []
            db.session.flush()  # the old ones go before the new ones come
            settings.offers = offers
            settings.channels = [
                SlackSourceChannel(
                    account_id=settings.account_id, channel_id=id, channel_name=channels[id]
                )
                for id in sorted(channels)
            ]
    except IntegrityError as problem:  # somebody gave the channel to another source just now
        raise Conflict(
            "One of these channels or policies was changed by somebody else. Please look again."
        ) from problem


def _locked(source_id: int, by: User) -> AlertSource:
    by.require(Permission.MANAGE_ALERT_SOURCES)
    wanted = sources.visible_to(by).where(AlertSource.id == source_id, AlertSource.type == TYPE)
    source = db.session.scalar(wanted.with_for_update().execution_options(populate_existing=True))
    if source is None:
        raise NotFound("There is no such Slack alert source in your account.")
    return source


def _check_channels(source: AlertSource, channels: dict[str, str]) -> None:
    if len(channels) > MOST_CHANNELS:
        raise Invalid(f"Please choose at most {MOST_CHANNELS} channels.", field="channels")
    if not all(name and CHANNEL_ID.fullmatch(id) for id, name in channels.items()):
        raise Invalid("Please choose the channels from the list.", field="channels")
    taken = queries.taken_channels(source.account_id, list(channels), but=source.id)
    if taken:
        named = ", ".join(f"#{channel} to {name}" for channel, name in taken.items())
        raise Invalid(
            f"A channel belongs to one Slack source only: {named}. Remove it there first.",
            field="channels",
        )


def _offers(offers: Sequence[Offer], by: User) -> list[OfferedPolicy]:
    if not 0 < len(offers) <= MOST_POLICIES:
        raise Invalid(f"Please choose 1 to {MOST_POLICIES} escalation policies.", field="offers")
    ids = [offer.policy_id for offer in offers]
    known = set(
        db.session.scalars(
            escalation.visible_to(by)
            .with_only_columns(EscalationPolicy.id)
            .where(EscalationPolicy.id.in_(ids))
        )
    )
    found = []
    for position, offer in enumerate(offers):
        place, name = f"offers-{position}", " ".join(offer.display_name.split())
        if offer.policy_id not in known:
            raise Invalid("This policy is not there any more. Please choose another.", field=place)
        if offer.policy_id in ids[:position]:
            raise Invalid("This policy is already chosen above.", field=place)
        if len(name) > LONGEST_NAME:
            raise Invalid(f"Please give a name of up to {LONGEST_NAME} characters.", field=place)
        found.append(
            OfferedPolicy(
                position=position,
                account_id=by.account_id,
                policy_id=offer.policy_id,
                display_name=name,
            )
        )
    return found


def _label(raw: str) -> str:
    label = " ".join(raw.split())
    if len(label) > LONGEST_LABEL:
        raise Invalid(f"Please give a label of up to {LONGEST_LABEL} characters.", field="label")
    return label or LABEL


def _described(settings: SlackSource) -> dict[str, str]:
    names = dict(
        db.session.execute(
            select(EscalationPolicy.id, EscalationPolicy.name).where(
                EscalationPolicy.id.in_([offer.policy_id for offer in settings.offers])
            )
        ).all()
    )
    offered = [
        names[offer.policy_id] + (f" as “{offer.display_name}”" if offer.display_name else "")
        for offer in settings.offers
    ]
    channels = [f"#{channel.channel_name}" for channel in settings.channels]
    return {
        "channels": ", ".join(channels) or "none",
        "policies": ", ".join(offered),
        "label": settings.label,
        "anyone_may_ask": "yes" if settings.anyone_may_ask else "no",
        "shows_phone": "yes" if settings.shows_phone else "no",
    }


def _audit(settings: SlackSource, by: User, **details: str) -> None:
    log.record(
        AuditAction.SLACK_SETTINGS_CHANGED,
        account_id=settings.account_id,
        by=by,
        subject=f"source {settings.source.name}",
        **details,
    )
