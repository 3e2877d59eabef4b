"""What has been typed into the Slack settings of an alert source so far?

Adding, removing and moving policies are buttons of the same form: what was typed comes back with
every answer, with and without JavaScript.
"""

import re
from dataclasses import dataclass

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, StringField

from portal.domain.slack_sources.models import LABEL, SlackSource
from portal.domain.slack_sources.operations import MOST_POLICIES, Draft, Offer
from portal.web.render import row_id

OFFER = re.compile(r"offer-(\d{1,2})-policy")


class SlackSettingsForm(FlaskForm):  # type: ignore[misc]
    """The single fields; operations.save() knows which values fit."""

    label = StringField("Custom label for the choice of a policy", default=LABEL)
    anyone_may_ask = BooleanField("Anyone in these channels may ask who is on call")
    shows_phone = BooleanField("Also show phone numbers")


@dataclass
class TypedOffer:
    """One policy as it stands in the form."""

    policy_id: str
    display_name: str = ""
    error: str = ""


def of_settings(settings: SlackSource | None) -> list[TypedOffer]:
    offers = settings.offers if settings else []
    return [TypedOffer(str(offer.policy_id), offer.display_name) for offer in offers]


def typed(form: MultiDict[str, str]) -> list[TypedOffer]:
    """The policies in a posted form. What is selected but not added yet counts as added."""
    numbers = sorted(int(found[1]) for name in form if (found := OFFER.fullmatch(name)))
    offers = [
        TypedOffer(form[f"offer-{number}-policy"], form.get(f"offer-{number}-name", ""))
        for number in numbers
    ]
    added = form.get("offer-add", "")
    return [*offers, TypedOffer(added)] if added else offers


def edited(offers: list[TypedOffer], deed: str) -> tuple[list[TypedOffer], str]:
    """The policies after one of the editor's buttons, and the id of what has the focus then.

    `deed` is the button's value: "add", or "up-1" with the place from 0. Else nothing changes.
    """
    word, _, number = deed.partition("-")
    place = int(number) if number.isascii() and number.isdecimal() and len(number) < 3 else -1
    if not 0 <= place < len(offers):
        return offers, "offer-add"
    if word == "remove":
        del offers[place]
        return offers, "offer-add"
    other = {"up": place - 1, "down": place + 1}.get(word, -1)
    if 0 <= other < len(offers):
        offers[place], offers[other] = offers[other], offers[place]
        return offers, f"offer-{other}-name"
    return offers, f"offer-{place}-name"


def draft(form: SlackSettingsForm, offers: list[TypedOffer], channels: dict[str, str]) -> Draft:
    """The same for the domain. A policy's number that is none names no policy."""
    return Draft(
        channels=channels,
        offers=[Offer(row_id(each.policy_id) or 0, each.display_name) for each in offers],
        label=form.label.data or "",
        anyone_may_ask=bool(form.anyone_may_ask.data),
        shows_phone=bool(form.shows_phone.data),
    )


def is_full(offers: list[TypedOffer]) -> bool:
    return len(offers) >= MOST_POLICIES
