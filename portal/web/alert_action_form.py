"""What has been typed into the form of an alert action so far?

Choosing all updates and adding a condition are buttons of the same form: what was typed comes back
with every answer, with and without JavaScript.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import (
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
)

from portal.domain.routing.conditions import Condition
from portal.domain.routing.drafts import ActionDraft, Channel
from portal.domain.routing.models import AfterStorm
from portal.domain.routing.triggers import DEFAULT, LABELS, Trigger, TriggerMode
from portal.domain.sources.models import AlertSource
from portal.errors import Invalid

ALL, ANY = "all", "any"


class ActionForm(FlaskForm):  # type: ignore[misc]
    """What an action does; ActionDraft.check() knows which values fit."""

    name = StringField("Name")
    sources = SelectMultipleField("Alert sources", coerce=int, validate_choice=False)
    channels = SelectMultipleField("Channels", validate_choice=False)
    mode = RadioField(
        "When",
        choices=[
            SelectChoice(TriggerMode.AUTOMATIC.value, "Automatically, for the updates below"),
            SelectChoice(TriggerMode.MANUAL.value, "By hand, from the menu of an alert"),
        ],
        default=TriggerMode.AUTOMATIC.value,
        validate_choice=False,
    )
    triggers = SelectMultipleField("Updates to publish", validate_choice=False)
    ended_after = StringField("Seconds after the end of the policy", default="0")
    not_resolved_after = StringField("Seconds after the alert was created", default="3600")
    needs_all = SelectField(
        "An alert has to meet",
        choices=[
            SelectChoice(ALL, "all of these conditions"),
            SelectChoice(ANY, "one of these conditions"),
        ],
        default=ALL,
        validate_choice=False,
    )
    conditions = StringField("Conditions")  # only for what does not fit: the rows are ConditionRow
    fallback_channel_id = SelectField(
        "Another channel, while nothing can be posted to one of these", validate_choice=False
    )
    after_storm = SelectField(
        "When a storm is over, open alerts of its summary",
        choices=[
            SelectChoice(AfterStorm.SUMMARY.value, "stay in the summary"),
            SelectChoice(AfterStorm.OWN.value, "get messages of their own"),
        ],
        default=AfterStorm.SUMMARY.value,
        validate_choice=False,
    )


@dataclass(frozen=True)
class ConditionRow:
    """One condition as it stands in the form; without a value it counts for nothing."""

    field: str = ""
    criterion: str = ""
    value: str = ""


def empty(source_ids: Sequence[int]) -> ActionForm:
    return ActionForm(formdata=None, sources=list(source_ids), triggers=list(DEFAULT))


def filled(draft: ActionDraft) -> ActionForm:
    """The form as it begins for an action that is there."""
    return ActionForm(
        formdata=None,
        data={
            "name": draft.name,
            "sources": [source.id for source in draft.sources],
            "channels": [channel_id for channel_id, _ in draft.channels],
            "mode": draft.mode.value,
            "triggers": [each.value for each in draft.triggers],
            "ended_after": str(draft.ended_after),
            "not_resolved_after": str(draft.not_resolved_after or 3600),
            "needs_all": ALL if draft.needs_all else ANY,
            "fallback_channel_id": draft.fallback[0] if draft.fallback else "",
            "after_storm": draft.after_storm.value,
        },
    )


def rows_of(draft: ActionDraft) -> list[ConditionRow]:
    return [ConditionRow(each.field, each.criterion, each.value) for each in draft.conditions]


def typed_rows(form: MultiDict[str, str]) -> list[ConditionRow]:
    """The conditions in a posted form, as many as have all three controls."""
    names = ("condition-field", "condition-criterion", "condition-value")
    fields, criteria, values = (form.getlist(name) for name in names)
    return [ConditionRow(*row) for row in zip(fields, criteria, values, strict=False)]


def edited(form: ActionForm, rows: list[ConditionRow], deed: str) -> list[ConditionRow]:
    """The form and its conditions after one of the form's buttons: `deed` is the button's value."""
    word, _, number = deed.partition("-")
    place = int(number) if number.isascii() and number.isdecimal() and len(number) < 4 else -1
    match word:
        case "all":
            form.triggers.data = list(Trigger)
        case "none":
            form.triggers.data = []
        case "add":
            return [*rows, ConditionRow()]
        case "remove" if 0 <= place < len(rows):
            return rows[:place] + rows[place + 1 :]
    return rows


def draft(
    form: ActionForm,
    rows: Sequence[ConditionRow],
    sources: Sequence[AlertSource],
    channels: Sequence[Channel],
    fallback: Channel | None,
) -> ActionDraft:
    """The same for the domain. Raises Invalid for what is no number and no condition."""
    mode = form.mode.data if form.mode.data in list(TriggerMode) else TriggerMode.AUTOMATIC
    triggers = [each for each in Trigger if each in (form.triggers.data or [])]
    is_automatic = mode == TriggerMode.AUTOMATIC
    storm = form.after_storm.data
    return ActionDraft(
        name=form.name.data or "",
        sources=sources,
        channels=channels,
        mode=TriggerMode(mode),
        triggers=triggers,
        ended_after=_seconds(form, "ended_after", Trigger.ESCALATION_ENDED)
        if is_automatic and Trigger.ESCALATION_ENDED in triggers
        else 0,
        not_resolved_after=_seconds(form, "not_resolved_after", Trigger.NOT_RESOLVED)
        if is_automatic and Trigger.NOT_RESOLVED in triggers
        else None,
        conditions=[
            Condition.parse(row.field, row.criterion, row.value)
            for row in rows
            if row.value.strip()
        ],
        needs_all=form.needs_all.data != ANY,
        fallback=fallback,
        after_storm=AfterStorm(storm) if storm in list(AfterStorm) else AfterStorm.SUMMARY,
    )


def _seconds(form: ActionForm, name: str, trigger: Trigger) -> int:
    typed = (form[name].data or "").strip()
    if not (typed.isascii() and typed.isdecimal() and len(typed) < 8):
        raise Invalid(f"Please enter a number of seconds for “{LABELS[trigger]}”.", field=name)
    return int(typed)
