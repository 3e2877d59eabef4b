"""Does a Slack user group follow who is on call, without ever being emptied or fought over?"""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.escalation.models import EscalationPolicy
from portal.domain.oncall.models import Schedule
from portal.jobs import upkeep as jobs
from portal.slack import installations, upkeep, user_groups, workspace
from tests.make import make_override, make_policy, make_static_schedule
from tests.slack.conftest import Story, post


class Group:
    """A policy whose one level is a schedule, and the workspace's group @platform-oncall."""

    def __init__(self, story: Story) -> None:
        self.story, self.people = story, story.people()
        story.link(self.people["olivia"])
        made = self.call("usergroups.create", name="Platform on call", handle="platform-oncall")
        self.id = str(made["usergroup"]["id"])
        with story.app.app_context():
            self.rota: Schedule = make_static_schedule(self.people["olivia"].account)
            self.policy: EscalationPolicy = make_policy(
                self.people["olivia"].account, [self.rota], name="Platform"
            )

    def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        with self.story.app.app_context():
            account_id = self.people["olivia"].account_id
            installation = installations.of_account(account_id)
            assert installation is not None
            return workspace.call(installation.credentials, method, **arguments)

    def takes_over(self, name: str, start: datetime, end: datetime) -> None:
        with self.story.app.app_context():
            make_override(self.rota, self.people[name], start, end)

    def save(self, handle: str = "@platform-oncall") -> Any:
        browser: FlaskClient = self.story.browser(self.people["uma"])
        answer = post(browser, f"/escalation-policies/{self.policy.id}/user-group", handle=handle)
        self.story.work()
        return answer

    def look(self) -> None:
        """What the clock does every minute."""
        with self.story.app.app_context():
            upkeep.wake_behind()
            db.session.commit()
        self.story.work()

    def members(self) -> list[str]:
        return list(self.call("usergroups.users.list", usergroup=self.id)["users"])

    def updates(self) -> int:
        return len(self.story.sandbox.requests(method="usergroups.users.update"))

    def page(self) -> str:
        browser = self.story.browser(self.people["uma"])
        return str(browser.get(f"/escalation-policies/{self.policy.id}").text)


@pytest.fixture
def group(story: Story) -> Group:
    return Group(story)


def test_it_follows_the_shifts_and_is_never_emptied(group: Group) -> None:
    start = now()
    hour = timedelta(hours=1)
    group.takes_over("ada", start - hour, start + hour)
    group.takes_over("uma", start + hour, start + 2 * hour)
    assert group.save().status_code == 302
    assert group.members() == ["U0ADA"]
    group.look()
    assert group.updates() == 1  # nothing changed, so nothing is sent
    with time_machine.travel(start + 1.5 * hour):
        group.look()
        assert group.members() == ["U0UMA"]
    with time_machine.travel(start + 3 * hour):  # nobody is on call now
        group.look()
        assert group.members() == ["U0UMA"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("permission_denied", "A Slack admin has to let apps change user groups."),
        ("plan_upgrade_required", "plan has no user groups"),
    ],
)
def test_a_refusal_is_told_and_not_tried_again_until_it_is_saved_again(
    group: Group, code: str, said: str
) -> None:
    group.takes_over("ada", now() - timedelta(hours=1), now() + timedelta(hours=1))
    group.story.sandbox.add_fault(effect="error", error=code, method="usergroups.users.update")
    group.save()
    assert said in group.page()
    group.look()
    assert group.updates() == 1
    group.story.sandbox.clear_faults()
    group.save()
    assert group.members() == ["U0ADA"]
    assert "is not kept up to date" not in group.page()


def test_a_passing_trouble_is_tried_again_by_itself(group: Group) -> None:
    group.takes_over("ada", now() - timedelta(hours=1), now() + timedelta(hours=1))
    group.story.sandbox.add_fault(effect="server_error", method="usergroups.users.update", times=1)
    group.save()
    group.look()
    assert group.members() == ["U0ADA"]


def test_what_somebody_changed_by_hand_in_slack_is_set_right_within_the_hour(group: Group) -> None:
    group.takes_over("ada", now() - timedelta(hours=1), now() + timedelta(hours=1))
    group.save()
    group.call("usergroups.users.update", usergroup=group.id, users="U0UMA")
    group.look()
    assert group.members() == ["U0UMA"]  # we do not know yet
    with group.story.app.app_context():
        jobs.compare_user_groups()
    group.story.work()
    assert group.members() == ["U0ADA"]
    with group.story.app.app_context():
        jobs.compare_user_groups()
    group.story.work()
    assert group.updates() == 3  # ours, the one by hand, ours again; nothing where nothing differs


def test_an_unknown_handle_is_told_and_an_empty_one_switches_it_off(group: Group) -> None:
    group.takes_over("ada", now() - timedelta(hours=1), now() + timedelta(hours=1))
    group.save("@nowhere")
    assert "Slack lists no user group with this handle." in group.page()
    refused = group.save("two words")
    assert refused.status_code == 422
    assert 'value="two words"' in refused.text
    group.save("")
    with group.story.app.app_context():
        assert user_groups.of_policy(group.policy.id) is None
    assert group.members() == []


def test_a_responder_may_not_choose_it(group: Group) -> None:
    ada: User = group.people["ada"]
    path = f"/escalation-policies/{group.policy.id}/user-group"
    assert post(group.story.browser(ada), path, handle="x").status_code == 403
