"""Which options does a select of ours offer while somebody types? One function per action_id."""

from collections.abc import Callable
from typing import Any

from portal.domain.accounts.models import User
from portal.slack import channel_menu, installations, new_alert, oncall, people, steering
from portal.slack.messages import modal
from portal.slack.messages import oncall as messages
from portal.slack.messages.alert_modals import CHOOSE_PERSON, CHOOSE_TARGET
from portal.slack.messages.channel_menu import ADD
from portal.slack.messages.modal import option
from portal.slack.messages.new_alert import POLICY, SOURCE, Named
from portal.slack.messages.oncall import CHOOSE
from portal.slack.payloads import BlockSuggestion

Options = dict[str, Any]  # as Slack takes them
NONE: Options = {"options": []}


def _on_call(person: User, asked: BlockSuggestion) -> Options:
    return messages.options(oncall.choices(person, asked.typed))


def _of_channel(person: User, asked: BlockSuggestion) -> Options:
    return channel_menu.choices(person, asked.typed, asked.channel_id)


def _sources(person: User, asked: BlockSuggestion) -> Options:
    return _listed(new_alert.source_choices(person, asked.typed))


def _policies(person: User, asked: BlockSuggestion) -> Options:
    return _listed(new_alert.policy_choices(person, asked.typed))


def _listed(found: list[Named]) -> Options:
    return {"options": [option(str(row_id), name).to_dict() for row_id, name in found]}


BY_ACTION_ID: dict[str, Callable[[User, BlockSuggestion], Options]] = {
    CHOOSE: _on_call,
    ADD: _of_channel,
    SOURCE: _sources,
    POLICY: _policies,
    CHOOSE_TARGET: lambda person, asked: modal.options(steering.targets(person, asked)),
    CHOOSE_PERSON: lambda person, asked: modal.options(steering.responders(person, asked)),
}


def suggest(suggestion: BlockSuggestion) -> Options:
    """The answer to Slack: nothing for whoever is not mapped, and for selects we do not know."""
    find = BY_ACTION_ID.get(suggestion.action_id)
    installation = installations.of_team(suggestion.team_id)
    if find is None or installation is None:
        return NONE
    if suggestion.user_team_id not in (installation.team_id, installation.enterprise_id):
        return NONE
    person = people.linked(installation.account_id, suggestion.user_id)
    return find(person, suggestion) if person else NONE
