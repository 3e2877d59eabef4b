"""Which options does a select of ours offer while somebody types? One function per action_id."""

from collections.abc import Callable
from typing import Any

from portal.domain.accounts.models import User
from portal.slack import channel_menu, installations, new_alert, oncall, people
from portal.slack.messages import oncall as messages
from portal.slack.messages.channel_menu import ADD
from portal.slack.messages.modal import option
from portal.slack.messages.new_alert import POLICY, SOURCE, Named
from portal.slack.messages.oncall import CHOOSE, Offered
from portal.slack.payloads import BlockSuggestion

NONE = messages.options(Offered())


def _on_call(person: User, asked: BlockSuggestion) -> dict[str, Any]:
    return messages.options(oncall.choices(person, asked.typed))


def _of_channel(person: User, asked: BlockSuggestion) -> dict[str, Any]:
    return channel_menu.choices(person, asked.typed, asked.channel_id)


def _sources(person: User, asked: BlockSuggestion) -> dict[str, Any]:
    return _listed(new_alert.source_choices(person, asked.typed))


def _policies(person: User, asked: BlockSuggestion) -> dict[str, Any]:
    return _listed(new_alert.policy_choices(person, asked.typed))


def _listed(found: list[Named]) -> dict[str, Any]:
    return {"options": [option(str(row_id), name).to_dict() for row_id, name in found]}


BY_ACTION_ID: dict[str, Callable[[User, BlockSuggestion], dict[str, Any]]] = {
    CHOOSE: _on_call,
    ADD: _of_channel,
    SOURCE: _sources,
    POLICY: _policies,
}


def suggest(suggestion: BlockSuggestion) -> dict[str, Any]:
    """The answer to Slack: nothing for whoever is not mapped, and for selects we do not know."""
    find = BY_ACTION_ID.get(suggestion.action_id)
    installation = installations.of_team(suggestion.team_id)
    if find is None or installation is None:
        return NONE
    if suggestion.user_team_id not in (installation.team_id, installation.enterprise_id):
        return NONE
    person = people.linked(installation.account_id, suggestion.user_id)
    return find(person, suggestion) if person else NONE
