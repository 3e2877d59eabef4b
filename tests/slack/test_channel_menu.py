"""Does `/ilert` let the right people choose what a channel shows, and does the channel hear of it?"""

from typing import Any

import pytest
from sqlalchemy import select

from portal.db import db
from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Role
from portal.domain.audit.actions import AuditAction
from portal.domain.audit.models import AuditEntry
from portal.domain.routing.models import ActionChannel, AlertAction
from portal.domain.routing.triggers import DEFAULT, TriggerMode
from portal.domain.sources.models import AlertSource
from portal.slack import installations
from tests.make import make_action, make_alert, make_source
from tests.slack.conftest import Story, pass_the_pace
from tests.slack.signed import interaction, signed
from tests.slack.test_oncall_command import words as words_of

OPS, WAR, PARTNERS = "C0OPS", "C0WAR", "C0PARTNERS"


@pytest.fixture
def people(story: Story) -> dict[str, User]:
    """Acme's people, with the workspace linked."""
    cast = story.people()
    story.link(cast["olivia"])
    return cast


@pytest.fixture
def source(story: Story, people: dict[str, User]) -> AlertSource:
    return new_source(story, people, "Prometheus <eu>")


def new_source(story: Story, people: dict[str, User], name: str) -> AlertSource:
    account = people["olivia"].account
    assert isinstance(account, Account)
    with story.app.app_context():
        return make_source(account, name=name, type="prometheus")[0]


def words(message: dict[str, Any]) -> str:
    return words_of({"blocks": [], **message})


def type_it(story: Story, user_id: str, text: str = "", channel: str = OPS) -> str:
    """What the person then reads, all of it."""
    delivery = story.sandbox.command("T0ACME", channel, user_id, "/ilert", text)
    assert (delivery.status, delivery.verdict) == (200, "ok")
    story.work()
    return words(seen(story, user_id, channel)[-1])


def seen(story: Story, user_id: str, channel: str = OPS) -> list[dict[str, Any]]:
    shown = story.sandbox.messages(channel, as_user=user_id)
    return [message for message in shown if message["is_ephemeral"]]


def public(story: Story, channel: str = OPS) -> list[str]:
    return [each["text"] for each in story.sandbox.messages(channel) if not each["is_ephemeral"]]


def offered(story: Story, user_id: str, typed: str = "", channel: str = OPS) -> list[str]:
    ts = seen(story, user_id, channel)[-1]["ts"]
    found = story.sandbox.suggest(user_id, "channel_source_add", typed, channel, ts)
    return [each["text"]["text"] for each in found]


def add(story: Story, user_id: str, source: AlertSource, channel: str = OPS) -> str:
    ts = seen(story, user_id, channel)[-1]["ts"]
    story.sandbox.suggest(user_id, "channel_source_add", "", channel, ts)
    story.sandbox.choose(channel, ts, "channel_source_add", user_id, str(source.id))
    story.work()
    return words(seen(story, user_id, channel)[-1])


def remove(story: Story, user_id: str, channel: str = OPS) -> str:
    """Press the first Remove of the menu."""
    ts = seen(story, user_id, channel)[-1]["ts"]
    story.sandbox.click(
        user_id=user_id, channel_id=channel, ts=ts, action_id="channel_source_remove"
    )
    story.work()
    return words(seen(story, user_id, channel)[-1])


def actions(story: Story) -> list[AlertAction]:
    with story.app.app_context():
        found = db.session.scalars(select(AlertAction).order_by(AlertAction.id)).all()
        for action in found:
            assert action.sources  # loaded, to be read later, as what follows
            assert action.channels
        return list(found)


def test_a_source_is_added_and_taken_out_in_place_and_the_channel_is_told(
    story: Story, people: dict[str, User], source: AlertSource
) -> None:
    other = new_source(story, people, "Grafana")
    menu = type_it(story, "U0UMA")
    assert "0 alert sources configured for this channel" in menu
    assert "Alerts of these sources appear in *#ops*" in menu
    assert "Tocsin 0." in menu
    assert offered(story, "U0UMA") == [
        f"[{other.id}] Grafana",
        f"[{source.id}] Prometheus <eu>",
    ]
    assert offered(story, "U0UMA", "prom") == [f"[{source.id}] Prometheus <eu>"]
    assert offered(story, "U0UMA", str(other.id)) == [f"[{other.id}] Grafana"]

    menu = add(story, "U0UMA", source)
    name = f"/alert-sources/{source.id}|[{source.id}] Prometheus &lt;eu&gt;>"
    assert ":white_check_mark: <@U0UMA>: alert source <" in menu
    assert f"{name} added to the channel" in menu
    assert "1 alert source configured for this channel" in menu
    assert "Type: Prometheus Alertmanager" in menu
    assert offered(story, "U0UMA") == [f"[{other.id}] Grafana"]
    (line,) = public(story)
    assert line.startswith(":white_check_mark: <@U0UMA>: alert source <")
    assert line.endswith(f"{name} added to the channel")
    (action,) = actions(story)
    assert action.name == "Added in Slack to #ops by Uma"
    assert [(each.channel_id, each.channel_name) for each in action.channels] == [(OPS, "ops")]
    assert (action.mode, action.triggers) == (TriggerMode.AUTOMATIC, list(DEFAULT))
    assert action.created_by_id == people["uma"].id
    assert "2 alert sources configured" in add(story, "U0UMA", other)
    assert len(seen(story, "U0UMA")) == 1  # the menu is edited, not sent anew
    assert seen(story, "U0ADAM") == []

    menu = remove(story, "U0UMA")  # Grafana, the first by name
    assert f"|[{other.id}] Grafana> removed from the channel" in menu
    assert "1 alert source configured" in menu
    assert public(story)[-1].endswith("Grafana> removed from the channel")
    assert [each.id for each in actions(story)] == [action.id]
    assert story.sandbox.violations() == []


def test_what_is_added_shows_alerts_here_and_stands_on_the_web(
    story: Story, people: dict[str, User], source: AlertSource
) -> None:
    type_it(story, "U0UMA")
    add(story, "U0UMA", source)
    with story.app.app_context():
        make_alert(source, summary="Disk full on db-1")
    story.work()
    pass_the_pace(story)
    assert any("Disk full on db-1" in text for text in public(story))
    page = story.browser(people["ada"]).get(f"/alert-sources/{source.id}").text
    assert "<strong>#ops</strong>" in page
    assert "Added in Slack to #ops by Uma" in page


def test_remove_takes_just_that_source_out_of_actions_made_on_the_web(
    story: Story, people: dict[str, User], source: AlertSource
) -> None:
    other = new_source(story, people, "Aardvark")
    with story.app.app_context():
        both = make_action(source, other, channel_id=OPS, channel_name="ops")
        elsewhere = make_action(other, channel_id="C0DB", channel_name="db")
        alone = make_action(other, channel_id=OPS, channel_name="ops")
    assert "2 alert sources configured" in type_it(story, "U0UMA")
    remove(story, "U0UMA")
    left = {action.id: [each.name for each in action.sources] for action in actions(story)}
    assert left == {both.id: ["Prometheus <eu>"], elsewhere.id: ["Aardvark"]}
    with story.app.app_context():
        noted = [(entry.action, entry.actor_id) for entry in db.session.scalars(select(AuditEntry))]
    assert (AuditAction.ALERT_ACTION_CHANGED, people["uma"].id) in noted
    assert (AuditAction.ALERT_ACTION_DELETED, people["uma"].id) in noted
    assert alone.id not in left


def test_remove_leaves_the_other_channels_of_an_action_and_its_other_sources_alone(
    story: Story, people: dict[str, User], source: AlertSource
) -> None:
    other = new_source(story, people, "Aardvark")
    with story.app.app_context():
        both = make_action(source, other, channel_id=OPS, channel_name="ops")
        action = db.session.get_one(AlertAction, both.id)
        also = ActionChannel(account_id=both.account_id, channel_id="C0DB", channel_name="db")
        action.channels.append(also)
        db.session.commit()
    type_it(story, "U0UMA")
    assert "1 alert source configured" in remove(story, "U0UMA")  # Aardvark, the first by name

    def sent() -> list[tuple[str, str]]:
        return sorted(
            (each.name, channel.channel_name)
            for action in actions(story)
            for each in action.sources
            for channel in action.channels
        )

    assert sent() == [("Aardvark", "db"), ("Prometheus <eu>", "db"), ("Prometheus <eu>", "ops")]
    remove(story, "U0UMA")
    assert sent() == [("Aardvark", "db"), ("Prometheus <eu>", "db")]


def test_what_people_run_by_hand_is_not_sent_here(
    story: Story, people: dict[str, User], source: AlertSource
) -> None:
    with story.app.app_context():
        action = make_action(source, channel_id=OPS, channel_name="ops")
        db.session.get_one(AlertAction, action.id).mode = TriggerMode.MANUAL
        db.session.commit()
    assert "0 alert sources configured" in type_it(story, "U0UMA")
    assert offered(story, "U0UMA") == [f"[{source.id}] Prometheus <eu>"]


def test_a_click_that_comes_twice_changes_and_says_one_thing(
    story: Story, people: dict[str, User], source: AlertSource
) -> None:
    type_it(story, "U0UMA")
    ts = seen(story, "U0UMA")[-1]["ts"]
    story.sandbox.suggest("U0UMA", "channel_source_add", "", OPS, ts)
    sent = story.sandbox.choose(OPS, ts, "channel_source_add", "U0UMA", str(source.id)).payload
    for _ in range(2):
        answer = story.app.test_client().post("/slack/interactions", **signed(interaction(sent)))
        assert answer.status_code == 200
    story.work()
    assert len(actions(story)) == 1
    assert len(public(story)) == 1
    assert "shows <" in words(seen(story, "U0UMA")[-1])  # … already


@pytest.mark.parametrize(
    ("user_id", "refusal"),
    [
        ("U0ADA", "You may not change alert actions. Ask an admin for the role user."),
        ("U0STAN", "You may not change alert actions."),
        ("U0WALTER", "Your Slack user is not connected to an account here."),
    ],
)
def test_who_may_not_change_alert_actions_is_told_so(
    story: Story, people: dict[str, User], user_id: str, refusal: str
) -> None:
    assert refusal in type_it(story, user_id)


def test_it_belongs_to_channels_the_app_can_post_in(
    story: Story, people: dict[str, User], source: AlertSource
) -> None:
    assert "not in this private channel" in type_it(story, "U0ADAM", channel=WAR)
    story.sandbox.admin("invite", channel=WAR, user="U0BOTT0ACME")
    menu = type_it(story, "U0ADAM", channel=WAR)
    assert "appear in *#war-room*" in menu
    add(story, "U0ADAM", source, channel=WAR)
    assert actions(story)[0].name == "Added in Slack to #war-room by Adam"


def test_a_shared_channel_asks_before_it_shows_alerts_to_another_company(
    story: Story, people: dict[str, User], source: AlertSource
) -> None:
    type_it(story, "U0UMA", channel=PARTNERS)
    (menu,) = seen(story, "U0UMA", PARTNERS)
    (select_,) = [
        element
        for block in menu["blocks"]
        for element in block.get("elements", [])
        if element["type"] == "external_select"
    ]
    assert "shared with another company" in select_["confirm"]["text"]["text"]


def test_a_missing_permission_is_named(
    story: Story, people: dict[str, User], source: AlertSource
) -> None:
    story.sandbox.admin("take_scope", team_id="T0ACME", scope="groups:read")
    with story.app.app_context():
        installation = installations.of_account(people["olivia"].account_id)
        assert installation is not None
        installation.scopes = [each for each in installation.scopes if each != "groups:read"]
        db.session.commit()
    assert "may not do this yet (`groups:read`)" in type_it(story, "U0ADAM", channel=WAR)


def test_a_role_that_is_lost_between_the_menu_and_the_click_counts(
    story: Story, people: dict[str, User], source: AlertSource
) -> None:
    type_it(story, "U0UMA")
    with story.app.app_context():
        db.session.get_one(User, people["uma"].id).role = Role.RESPONDER
        db.session.commit()
    ts = seen(story, "U0UMA")[-1]["ts"]
    assert offered(story, "U0UMA") == []
    sent = story.sandbox.deliveries("block_suggestion")[-1].payload
    click = {
        **sent,
        "type": "block_actions",
        "response_url": "",
        "container": {"type": "message", "message_ts": ts, "channel_id": OPS},
        "actions": [
            {
                "type": "external_select",
                "action_id": "channel_source_add",
                "block_id": sent["block_id"],
                "selected_option": {"value": str(source.id)},
            }
        ],
    }
    answer = story.app.test_client().post("/slack/interactions", **signed(interaction(click)))
    assert answer.status_code == 200
    story.work()
    assert "may not change alert actions" in words(seen(story, "U0UMA")[-1])
    assert actions(story) == []


def test_words_behind_it_do_what_the_other_commands_do_and_others_are_explained(
    story: Story, people: dict[str, User]
) -> None:
    assert "There is no escalation policy" in type_it(story, "U0UMA", "oncall")
    for text in ("help", "HELP", "?"):
        assert type_it(story, "U0WALTER", text).startswith("`/ilert` shows which alert sources")
    assert "knows no such word" in type_it(story, "U0WALTER", "dance <!channel>")
    assert "<!channel>" not in words(seen(story, "U0WALTER")[-1])


def test_a_slack_that_does_not_answer_is_said(story: Story, people: dict[str, User]) -> None:
    story.sandbox.add_fault(method="conversations.info", effect="error", error="internal_error")
    assert "Please try again" in type_it(story, "U0UMA")
