"""Who is on call, asked from Slack? What `/il-oncall` answers, and what its messages' clicks do.

product.md section 5. Everything here reads the database only; whoever calls it does the talking.
"""

from collections.abc import Sequence
from typing import Any

from flask import current_app
from sqlalchemy import Select, func

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import REFUSALS, Permission
from portal.domain.escalation import outlook
from portal.domain.escalation import queries as escalation
from portal.domain.escalation.models import EscalationPolicy
from portal.domain.slack_sources import queries as slack_sources
from portal.domain.slack_sources.models import OfferedPolicy, SlackSource
from portal.domain.sources import queries as sources
from portal.domain.sources.models import AlertSource
from portal.slack import people
from portal.slack.answers import Answer, Message
from portal.slack.askers import Asker
from portal.slack.messages import oncall as messages
from portal.slack.messages.oncall import MOST_OPTIONS, Chart, Offered, Reader
from portal.slack.messages.text import link

USAGE = (
    "`/il-oncall` says who is on call, visible to you only.\n"
    "`/il-oncall database` looks for an escalation policy or an alert source by its name.\n"
    "`/il-oncall help` shows this."
)
NOT_SWITCHED_ON = (
    "Asking who is on call without an account is not switched on in this channel. An admin can add"
    " the channel to a Slack alert source, or you connect your account."
)
NO_CHOICE = "There is no escalation policy and no alert source you may see. Ask an admin."
GONE = "This choice is no longer offered. Please choose again."
PHONES_FOLLOW = "📞 Phone numbers follow as soon as Slack has said who you are."
POLICY, SOURCE = "policy", "source"  # what a choice's value begins with, as in "policy:7"


def asked(asker: Asker, text: str) -> Answer:
    """The answer to `/il-oncall text`."""
    if text.lower() in ("help", "?"):
        return Answer({"text": USAGE})
    here = slack_sources.of_channel(asker.installation.account_id, asker.channel_id)
    is_open = here is not None and here.anyone_may_ask
    may_search = asker.person is not None and asker.person.can(Permission.SEE_ESCALATION_POLICIES)
    if here is not None and is_open and not (may_search and text):
        return _of_channel(asker, here, text, may_search=may_search)
    if asker.person is None and not asker.has_been_asked:
        return Answer(None, is_owed=True)  # they may have got an account since
    if asker.person is None:
        return Answer({"text": NOT_SWITCHED_ON})
    if not may_search:
        return Answer({"text": REFUSALS[Permission.SEE_ESCALATION_POLICIES]})
    return Answer(_search(asker, asker.person, text))


def chosen(asker: Asker, person: User, value: str) -> Message:
    """The answer for a choice in the search field; asks again when it is not there any more."""
    kind, _, number = value.partition(":")
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        return messages.prompt(GONE)
    if kind == POLICY:
        wanted = escalation.visible_to(person).where(EscalationPolicy.id == int(number))
        policy = db.session.scalar(wanted)
        return _of_policy(asker, policy) if policy else messages.prompt(GONE)
    source = db.session.scalar(sources.visible_to(person).where(AlertSource.id == int(number)))
    return _of_source(asker, person, source) if source else messages.prompt(GONE)


def choices(person: User, typed: str) -> Offered:
    """What fits what was typed, by name; nothing that the person may not see."""
    policies = _named(escalation.visible_to(person), EscalationPolicy, typed)
    of_sources = _named(sources.visible_to(person), AlertSource, typed)
    return Offered(
        {f"{POLICY}:{each.id}": each.name for each in policies},
        {f"{SOURCE}:{each.id}": each.name for each in of_sources},
    )


def _of_channel(asker: Asker, here: SlackSource, text: str, *, may_search: bool) -> Answer:
    """Mode 2: the policies that the channel's Slack source offers, under their display names."""
    wanted = text.lower()
    fitting = [offer for offer in here.offers if wanted in offer.name.lower()]
    withholds = here.shows_phone and not asker.is_known
    note = PHONES_FOLLOW if withholds else ""
    if text and not fitting:
        note = f"Nothing offered here fits what you typed; this is all there is. {note}"
    reader = Reader(
        asker.time_zone,
        sees_phones=here.shows_phone and asker.is_member,
        may_search=may_search,
        note=note,
    )
    message = _answer([_offered(offer) for offer in fitting or here.offers], reader)
    return Answer(message, is_owed=withholds)


def _search(asker: Asker, person: User, text: str) -> Message:
    """Mode 1: what was typed names one thing, several, or nothing."""
    found = choices(person, "")
    if not found.number:
        return {"text": NO_CHOICE}
    if not text:
        return messages.prompt()
    found = choices(person, text)
    every = {**found.policies, **found.sources}
    exact = [value for value, name in every.items() if name.lower() == text.lower()]
    fitting = exact if len(exact) == 1 else list(every)
    if not fitting:
        return messages.prompt(f"Nothing that you may see fits “{text}”.")
    return chosen(asker, person, fitting[0]) if len(fitting) == 1 else messages.several(text, found)


def _of_policy(asker: Asker, policy: EscalationPolicy) -> Message:
    return _answer([_chart(policy.name, policy)], Reader(asker.time_zone, may_search=True))


def _of_source(asker: Asker, person: User, source: AlertSource) -> Message:
    """A source is answered with its policy."""
    wanted = escalation.visible_to(person).where(EscalationPolicy.id == source.escalation_policy_id)
    policy = db.session.scalar(wanted)
    url = f"{current_app.config['PUBLIC_URL']}/alert-sources/{source.id}"
    by = link(_url(policy), policy.name, 150) if policy else ""
    levels = _levels([policy])[policy.id] if policy else []
    chart = Chart(source.name, url, levels, by)
    return _answer([chart], Reader(asker.time_zone, may_search=True))


def _answer(charts: Sequence[Chart], reader: Reader) -> Message:
    named = {
        turn.person.id
        for chart in charts
        for level in chart.levels
        for turn in level.turns
        if turn.person
    }
    return messages.answer(charts, reader, people.slack_ids(named), now())


def _offered(offer: OfferedPolicy) -> Chart:
    return _chart(offer.name, offer.policy)


def _chart(name: str, policy: EscalationPolicy) -> Chart:
    return Chart(name, _url(policy), _levels([policy])[policy.id])


def _levels(policies: Sequence[EscalationPolicy]) -> dict[int, list[outlook.Level]]:
    return outlook.levels_of({policy.id: policy.plan for policy in policies}, now())


def _url(policy: EscalationPolicy) -> str:
    return f"{current_app.config['PUBLIC_URL']}/escalation-policies/{policy.id}"


def _named(visible: Select[Any], kind: Any, typed: str) -> list[Any]:
    fits = func.lower(kind.name).contains(typed.strip().lower(), autoescape=True)
    wanted = visible.where(fits).order_by(func.lower(kind.name), kind.id).limit(MOST_OPTIONS)
    return list(db.session.scalars(wanted))
