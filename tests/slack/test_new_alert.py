"""Can an alert be created from Slack by whom it should, once, and is it told to whom it should be?"""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.serving import make_server

from portal.db import db, now
from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Role
from portal.domain.alerts import queries
from portal.domain.alerts.models import Alert, TimelineKind
from portal.domain.escalation import policies
from portal.domain.escalation import queries as escalation
from portal.domain.escalation.models import EscalationPolicy
from portal.domain.slack_sources.models import SlackSource
from portal.domain.sources.models import AlertSource
from portal.slack import profiles
from portal.slack.profiles import Kind, SlackProfile
from portal.slack.windows import SlackModal
from tests.make import make_policy, make_slack_settings, make_source
from tests.slack.conftest import Story
from tests.slack.signed import interaction, signed
from tests.together import collide

OPS, DB, WAR = "C0OPS", "C0DB", "C0WAR"


@pytest.fixture
def people(story: Story) -> dict[str, User]:
    """Acme's people, with the workspace linked."""
    cast = story.people()
    story.link(cast["olivia"])
    return cast


@pytest.fixture
def shop(story: Story, people: dict[str, User]) -> AlertSource:
    """A source of Acme's, about whose alerts Ada is asked."""
    with story.app.app_context():
        source, _ = make_source(acme(people), name="Shop")
        make_policy(acme(people), [people["ada"]], name="Platform", source=source)
        return source


@pytest.fixture
def open_ops(story: Story, people: dict[str, User], shop: AlertSource) -> SlackSource:
    """Anybody may create alerts in #ops, for two policies."""
    with story.app.app_context():
        source, _ = make_source(acme(people), name="Ask us", type="slack")
        platform = db.session.scalars(select(EscalationPolicy)).one()
        other = make_policy(acme(people), [people["uma"]], name="Databases")
        made = make_slack_settings(source, other, platform, channel_id=OPS, channel_name="ops")
        settings = db.session.get_one(SlackSource, made.source_id)
        settings.label = "Whom do you need?"
        settings.offers[0].display_name = "The data people"
        db.session.commit()
        return made


def acme(people: dict[str, User]) -> Account:
    account = people["olivia"].account
    assert account is not None
    return account


def type_it(
    story: Story, user_id: str, text: str = "", channel: str = DB, command: str = "/il-alert"
) -> dict[str, Any] | None:
    """The modal that the person then has in front of them, if any."""
    delivery = story.sandbox.command("T0ACME", channel, user_id, command, text)
    assert (delivery.status, delivery.verdict) == (200, "ok")
    story.work()
    return story.sandbox.open_view_of(user_id)


def fill(story: Story, user_id: str, **values: str) -> None:
    story.sandbox.fill_view(user_id, values)


def submit(story: Story, user_id: str, **values: str) -> dict[str, Any]:
    """Submit; the payload as Slack sent it."""
    delivery = story.sandbox.submit_view(user_id, values)
    assert delivery.verdict == "ok", delivery.answer
    story.work()
    payload: dict[str, Any] = delivery.payload
    return payload


def choose(story: Story, user_id: str, field: str, name: str, action_id: str) -> None:
    """Search and choose in a select of the open modal."""
    found = story.sandbox.suggest(user_id, action_id, name)
    (value,) = [each["value"] for each in found if each["text"]["text"] == name]
    story.sandbox.act_in_view(user_id, action_id, value)
    story.work()


def said(story: Story, user_id: str, channel: str) -> list[str]:
    shown = story.sandbox.messages(channel, as_user=user_id)
    return [message["text"] for message in shown if message["is_ephemeral"]]


def public(story: Story, channel: str) -> list[str]:
    return [each["text"] for each in story.sandbox.messages(channel) if not each["is_ephemeral"]]


def alerts(story: Story) -> list[Alert]:
    with story.app.app_context():
        return list(db.session.scalars(select(Alert).order_by(Alert.id)))


def asked(story: Story, alert: Alert) -> list[str]:
    with story.app.app_context():
        return [each.user.name for each in escalation.responders_of(alert)]


def errors(story: Story, user_id: str) -> dict[str, str]:
    view = story.sandbox.open_view_of(user_id)
    assert view is not None
    found: dict[str, str] = view["errors"]
    return found


def post(story: Story, payload: dict[str, Any]) -> int:
    """As Slack sends it once more."""
    request = signed(interaction(payload))
    return story.app.test_client().post("/slack/interactions", **request).status_code


def texts(view: dict[str, Any]) -> str:
    return json.dumps(view, ensure_ascii=False)


# Mode 1: people with an account, in any channel


def test_a_person_chooses_a_source_which_fills_in_its_policy(
    story: Story, people: dict[str, User], shop: AlertSource
) -> None:
    view = type_it(story, "U0ADA", "Checkout <fails> & burns")
    assert view is not None
    assert view["title"]["text"] == "Alert on-call team"
    assert "Checkout <fails> & burns" in texts(view)  # as it was typed
    fill(story, "U0ADA", details="Since noon")
    choose(story, "U0ADA", "source_id", "Shop", "new_alert_source")
    view = story.sandbox.open_view_of("U0ADA")
    assert view is not None
    assert view["blocks"][1]["element"]["initial_option"]["text"]["text"] == "Platform"
    submit(story, "U0ADA")
    assert story.sandbox.open_view_of("U0ADA") is None
    (alert,) = alerts(story)
    assert (alert.summary, alert.details) == ("Checkout <fails> & burns", "Since noon")
    assert alert.source_id == shop.id
    assert asked(story, alert) == ["Ada"]
    (line,) = said(story, "U0ADA", DB)
    assert "<@U0ADA> opened <" in line
    assert f"/alerts/{alert.id}|Checkout &lt;fails&gt; &amp; burns>" in line
    assert "It asks *Platform*." in line
    assert public(story, DB) == []
    with story.app.app_context():
        entry = queries.timeline(alert)[0]
    assert entry.kind is TimelineKind.CREATED_BY_PERSON
    assert (entry.actor_name, entry.data["slack_user_id"]) == ("Ada", "U0ADA")
    assert story.sandbox.violations() == []


def test_another_policy_takes_the_place_of_the_sources_own(
    story: Story, people: dict[str, User], shop: AlertSource
) -> None:
    with story.app.app_context():
        make_policy(acme(people), [people["uma"]], name="Databases")
    type_it(story, "U0ADA", "Slow queries")
    choose(story, "U0ADA", "source_id", "Shop", "new_alert_source")
    story.sandbox.suggest("U0ADA", "new_alert_policy", "data")
    with story.app.app_context():
        wanted = select(EscalationPolicy.id).where(EscalationPolicy.name == "Databases")
        policy_id = db.session.scalars(wanted).one()
    submit(story, "U0ADA", new_alert_policy=str(policy_id))
    assert asked(story, alerts(story)[0]) == ["Uma"]


def test_a_source_that_asks_nobody_is_said_to(
    story: Story, people: dict[str, User], shop: AlertSource
) -> None:
    with story.app.app_context():
        make_source(acme(people), name="Lonely")
    type_it(story, "U0ADA", "Smoke")
    choose(story, "U0ADA", "source_id", "Lonely", "new_alert_source")
    assert "nobody is asked" in texts(story.sandbox.open_view_of("U0ADA") or {})
    submit(story, "U0ADA")
    assert asked(story, alerts(story)[0]) == []
    assert "It asks nobody by itself." in said(story, "U0ADA", DB)[0]


def test_what_is_offered_is_what_the_person_may_see_and_can_be_used(
    story: Story, people: dict[str, User], shop: AlertSource
) -> None:
    with story.app.app_context():
        make_source(name="Foreign")
        off, _ = make_source(acme(people), name="Off")
        db.session.get_one(AlertSource, off.id).disabled_at = now()
        db.session.commit()
    type_it(story, "U0ADA")
    offered = story.sandbox.suggest("U0ADA", "new_alert_source", "")
    assert [each["text"]["text"] for each in offered] == ["Shop"]
    offered = story.sandbox.suggest("U0ADA", "new_alert_policy", "PLAT")
    assert [each["text"]["text"] for each in offered] == ["Platform"]


def test_the_summary_is_one_line_of_250_characters_and_a_longer_one_goes_on_in_the_details(
    story: Story, people: dict[str, User], shop: AlertSource
) -> None:
    long = "😀 <!channel> & <@U0UMA> " * 400  # 10,000 characters
    view = type_it(story, "U0ADA", long)
    assert view is not None
    choose(story, "U0ADA", "source_id", "Shop", "new_alert_source")
    submit(story, "U0ADA")
    (alert,) = alerts(story)
    assert len(alert.summary) == 250
    assert alert.summary.endswith("…")
    assert "😀 <!channel> & <@U0UMA> 😀" in alert.details
    assert len(alert.details) > 2000  # what one of Slack's fields holds
    type_it(story, "U0ADA")
    choose(story, "U0ADA", "source_id", "Shop", "new_alert_source")
    submit(story, "U0ADA", summary=long[:2900])
    assert "at most 250 characters" in errors(story, "U0ADA")["summary"]
    assert len(alerts(story)) == 1
    submit(story, "U0ADA", summary="Short")
    assert len(alerts(story)) == 2


@pytest.mark.parametrize(
    ("user_id", "words"),
    [
        ("U0WALTER", "Creating alerts without an account is not switched on in this channel."),
        ("U0STAN", "Your role does not let you create alerts here."),
    ],
)
def test_elsewhere_who_may_not_is_told_what_an_admin_can_do(
    story: Story, people: dict[str, User], shop: AlertSource, user_id: str, words: str
) -> None:
    assert type_it(story, user_id, "Smoke", channel=OPS) is None
    assert words in said(story, user_id, OPS)[0]
    assert alerts(story) == []


def test_without_any_source_there_is_nothing_to_choose(
    story: Story, people: dict[str, User]
) -> None:
    assert type_it(story, "U0ADA", "Smoke") is None
    assert said(story, "U0ADA", DB) == ["There is no alert source you may use. Ask an admin."]


# Mode 2: anybody, in channels that are set up


def test_somebody_without_an_account_alerts_whom_the_channel_offers(
    story: Story, people: dict[str, User], open_ops: SlackSource
) -> None:
    view = type_it(story, "U0WALTER", "Card terminal is dead", channel=OPS)
    assert view is not None
    assert view["title"]["text"] == "Alert on-call engineers"
    label, options = view["blocks"][0]["label"], view["blocks"][0]["element"]["options"]
    assert label["text"] == "Whom do you need?"
    assert [each["text"]["text"] for each in options] == ["The data people", "Platform"]
    assert "Advanced settings" not in texts(view)
    submit(story, "U0WALTER", policy_id=options[0]["value"], details="At the till")
    assert story.sandbox.open_view_of("U0WALTER") is None
    (alert,) = alerts(story)
    assert (alert.source_id, alert.details) == (open_ops.source_id, "At the till")
    assert asked(story, alert) == ["Uma"]
    (line,) = public(story, OPS)
    assert "<@U0WALTER> opened <" in line
    assert f"/alerts/{alert.id}|Card terminal is dead>" in line
    assert "It asks *The data people*." in line
    with story.app.app_context():
        entry = queries.timeline(alert)[0]
    assert (entry.actor_id, entry.actor_name) == (None, "walter.walkin")
    assert entry.data["slack_user_id"] == "U0WALTER"
    page = story.browser(people["ada"]).get(f"/alerts/{alert.id}").text
    assert "walter.walkin" in page
    assert "U0WALTER" in page


def test_advanced_settings_lead_on_and_keep_what_was_typed(
    story: Story, people: dict[str, User], open_ops: SlackSource
) -> None:
    view = type_it(story, "U0ADA", "Slow", channel=OPS)
    assert view is not None
    assert view["title"]["text"] == "Alert on-call engineers"
    policy = view["blocks"][0]["element"]["options"][0]["value"]
    fill(story, "U0ADA", policy_id=policy, summary="Slow queries", details="Since noon")
    story.sandbox.act_in_view("U0ADA", "Advanced settings")
    story.work()
    view = story.sandbox.open_view_of("U0ADA")
    assert view is not None
    assert view["title"]["text"] == "Alert on-call team"
    values = texts(view["state"])
    assert "Slow queries" in values
    assert "Since noon" in values
    choose(story, "U0ADA", "source_id", "Shop", "new_alert_source")
    submit(story, "U0ADA")
    (alert,) = alerts(story)
    assert (alert.summary, alert.details) == ("Slow queries", "Since noon")
    assert public(story, OPS) == []  # the source may be hidden from others
    assert "opened <" in said(story, "U0ADA", OPS)[0]


def test_a_stakeholder_counts_as_somebody_without_an_account(
    story: Story, people: dict[str, User], open_ops: SlackSource
) -> None:
    view = type_it(story, "U0STAN", "Smoke", channel=OPS)
    assert view is not None
    assert "Advanced settings" not in texts(view)
    submit(story, "U0STAN", policy_id=view["blocks"][0]["element"]["options"][0]["value"])
    (alert,) = alerts(story)
    with story.app.app_context():
        assert queries.timeline(alert)[0].actor_name == "Stan"


def test_people_of_other_companies_are_refused(
    story: Story, people: dict[str, User], open_ops: SlackSource
) -> None:
    with story.app.app_context():
        profile = SlackProfile(
            account_id=acme(people).id,
            slack_user_id="U0WALTER",
            kind=Kind.OUTSIDER,
            time_zone="",
        )
        db.session.add(profile)
        db.session.commit()
        assert profiles.of(acme(people).id, "U0WALTER") is not None
    assert type_it(story, "U0WALTER", "Smoke", channel=OPS) is None
    assert "Only members of Acme can act here." in said(story, "U0WALTER", OPS)[0]


# What may go wrong between opening and submitting


def delete_policies(story: Story, people: dict[str, User]) -> None:
    with story.app.app_context():
        for settings in db.session.scalars(select(SlackSource)):
            settings.offers = settings.offers[1:]
        wanted = select(EscalationPolicy).where(EscalationPolicy.name == "Databases")
        policy = db.session.scalars(wanted).one()
        db.session.commit()
        policies.delete(policy.id, by=db.session.get_one(User, people["olivia"].id))


def close_channel(story: Story, people: dict[str, User]) -> None:
    with story.app.app_context():
        db.session.scalars(select(SlackSource)).one().channels = []
        db.session.commit()


def disable(story: Story, people: dict[str, User]) -> None:
    with story.app.app_context():
        for source in db.session.scalars(select(AlertSource)):
            source.disabled_at = now()
        db.session.commit()


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        (delete_policies, "policy_id", "This choice is no longer offered."),
        (close_channel, "policy_id", "not switched on in this channel"),
        (disable, "policy_id", "are paused. Nothing was created."),
    ],
)
def test_what_changed_meanwhile_is_said_at_the_field(
    story: Story,
    people: dict[str, User],
    open_ops: SlackSource,
    change: Callable[[Story, dict[str, User]], None],
    field: str,
    words: str,
) -> None:
    view = type_it(story, "U0WALTER", "Smoke", channel=OPS)
    assert view is not None
    policy = view["blocks"][0]["element"]["options"][0]["value"]
    change(story, people)
    submit(story, "U0WALTER", policy_id=policy)
    assert words in errors(story, "U0WALTER")[field]
    assert alerts(story) == []
    assert public(story, OPS) == []


def test_a_policy_deleted_meanwhile_is_said_at_its_field_in_the_other_modal_too(
    story: Story, people: dict[str, User], shop: AlertSource
) -> None:
    with story.app.app_context():
        doomed = make_policy(acme(people), [people["uma"]], name="Databases")
    type_it(story, "U0ADA", "Smoke")
    choose(story, "U0ADA", "source_id", "Shop", "new_alert_source")
    story.sandbox.suggest("U0ADA", "new_alert_policy", "")
    delete_policies(story, people)
    submit(story, "U0ADA", new_alert_policy=str(doomed.id))
    ((field, words),) = errors(story, "U0ADA").items()
    assert field.startswith("policy_id")
    assert "no longer offered" in words
    disable(story, people)
    submit(story, "U0ADA")
    assert "no longer offered" in next(iter(errors(story, "U0ADA").values()))
    assert alerts(story) == []


def test_a_source_disabled_meanwhile_is_said_at_its_field(
    story: Story, people: dict[str, User], shop: AlertSource
) -> None:
    type_it(story, "U0ADA", "Smoke")
    choose(story, "U0ADA", "source_id", "Shop", "new_alert_source")
    disable(story, people)
    submit(story, "U0ADA")
    assert "Alerts from Shop are paused" in errors(story, "U0ADA")["source_id"]
    assert alerts(story) == []


def test_a_role_lost_meanwhile_counts(
    story: Story, people: dict[str, User], shop: AlertSource
) -> None:
    type_it(story, "U0ADA", "Smoke")
    choose(story, "U0ADA", "source_id", "Shop", "new_alert_source")
    with story.app.app_context():
        db.session.get_one(User, people["ada"].id).role = Role.STAKEHOLDER
        db.session.commit()
    submit(story, "U0ADA")
    assert "You may not change alerts" in errors(story, "U0ADA")["summary"]
    assert alerts(story) == []


def test_a_submission_that_slack_repeats_makes_one_alert_and_one_line(
    story: Story, people: dict[str, User], open_ops: SlackSource
) -> None:
    view = type_it(story, "U0WALTER", "Smoke", channel=OPS)
    assert view is not None
    sent = submit(story, "U0WALTER", policy_id=view["blocks"][0]["element"]["options"][1]["value"])

    assert post(story, sent) == 200
    disable(story, people)
    assert post(story, sent) == 200  # late, when it could not be carried out any more
    story.work()
    assert len(alerts(story)) == 1
    assert len(public(story, OPS)) == 1


def test_the_same_submission_at_once_makes_one_alert(
    story: Story, people: dict[str, User], open_ops: SlackSource
) -> None:
    view = type_it(story, "U0WALTER", "Smoke", channel=OPS)
    assert view is not None
    policy = view["blocks"][0]["element"]["options"][1]["value"]
    filled = story.sandbox.fill_view("U0WALTER", {"policy_id": policy})
    sent = {
        "type": "view_submission",
        "api_app_id": "A0TOCSIN",
        "team": {"id": "T0ACME", "domain": "acme"},
        "user": {"id": "U0WALTER", "team_id": "T0ACME"},
        "view": filled,
    }
    with story.app.app_context():
        modal_id = db.session.scalars(select(SlackModal.id)).one()
    attempts = [lambda: post(story, sent)] * 3
    lock = "SELECT 1 FROM slack_modals WHERE id = :id FOR UPDATE"
    assert collide(story.app, lock, attempts, id=modal_id) == [200, 200, 200]
    story.work()
    assert len(alerts(story)) == 1
    assert len(public(story, OPS)) == 1


def test_a_window_that_slack_closed_too_early_is_said_in_the_channel(
    story: Story, people: dict[str, User], shop: AlertSource
) -> None:
    story.sandbox.command("T0ACME", DB, "U0ADA", "/il-alert", "Smoke")
    story.sandbox.clock(freeze=True)
    story.sandbox.clock(advance=4)
    story.work()
    assert said(story, "U0ADA", DB) == [
        "Slack closed the window before it opened. Please press again."
    ]
    story.sandbox.command("T0ACME", DB, "U0ADA", "/il-alert", "Smoke")


def test_an_answer_goes_to_no_address_that_is_not_slacks(
    story: Story, people: dict[str, User], shop: AlertSource
) -> None:
    heard: list[str] = []
    elsewhere = make_server("127.0.0.1", 0, lambda asked, begin: heard.append(asked["PATH_INFO"]))
    threading.Thread(target=elsewhere.serve_forever, daemon=True).start()
    message = story.sandbox.say(OPS, "U0UMA", "The printer burns")
    shortcut = story.sandbox.message_shortcut(
        OPS, message["ts"], "U0WALTER", "create_alert_from_message"
    )
    story.work()
    told = len(said(story, "U0WALTER", OPS))
    invented = {
        **shortcut.payload,
        "trigger_id": "9.9.9",
        "response_url": f"http://127.0.0.1:{elsewhere.server_port}/hook",
    }
    assert post(story, invented) == 200
    story.work()
    elsewhere.shutdown()
    elsewhere.server_close()
    assert heard == []
    assert len(said(story, "U0WALTER", OPS)) == told + 1  # by Slack's own method instead


# Shortcuts


def test_the_global_shortcut_is_for_people_with_an_account(
    story: Story, people: dict[str, User], shop: AlertSource
) -> None:
    story.sandbox.shortcut("U0ADA", "create_alert")
    story.work()
    choose(story, "U0ADA", "source_id", "Shop", "new_alert_source")
    submit(story, "U0ADA", summary="From anywhere")
    (alert,) = alerts(story)
    assert alert.summary == "From anywhere"
    direct = [
        request.arguments
        for request in story.sandbox.requests("chat.postMessage")
        if request.arguments.get("channel") == "U0ADA"
    ]
    assert any("From anywhere" in str(each["text"]) for each in direct)  # there is no channel
    story.sandbox.shortcut("U0WALTER", "create_alert")
    story.work()
    view = story.sandbox.open_view_of("U0WALTER")
    assert view is not None
    assert "Creating alerts without an account is not switched on" in texts(view)


def test_a_message_becomes_an_alert_with_its_text_author_and_link(
    story: Story, people: dict[str, User], shop: AlertSource
) -> None:
    text = (
        "Checkout <b>fails</b> & burns :fire:\n@uma.ueda see <@U0UMA> https://example.com/a?b=1&c=2"
    )
    message = story.sandbox.say(DB, "U0ADAM", text)
    story.sandbox.message_shortcut(DB, message["ts"], "U0ADA", "create_alert_from_message")
    story.work()
    choose(story, "U0ADA", "source_id", "Shop", "new_alert_source")
    submit(story, "U0ADA")
    (alert,) = alerts(story)
    assert alert.summary.startswith("Checkout <b>fails</b> & burns")
    assert "https://example.com/a?b=1&c=2" in alert.details
    assert "@Uma see <@U0UMA> " in alert.details  # a mention, and what only looks like one
    assert "Adam wrote this in Slack: " in alert.details
    assert alert.details.endswith(f"/archives/{DB}/p{message['ts'].replace('.', '')}")


def test_a_private_channels_name_goes_nowhere_else(
    story: Story, people: dict[str, User], shop: AlertSource
) -> None:
    message = story.sandbox.say(WAR, "U0OLIVIA", "The vault is open, see #war-room")
    story.sandbox.message_shortcut(WAR, message["ts"], "U0ADAM", "create_alert_from_message")
    story.work()
    choose(story, "U0ADAM", "source_id", "Shop", "new_alert_source")
    submit(story, "U0ADAM", summary="The vault is open")
    (alert,) = alerts(story)
    assert f"/archives/{WAR}/p" in alert.details
    with story.app.app_context():
        kept = str(db.session.execute(select(func.to_jsonb(Alert.details))).scalar_one())
    without_text = kept.replace("see #war-room", "")
    assert "war-room" not in without_text


def test_a_message_in_a_channel_that_is_set_up_opens_the_modal_for_everybody(
    story: Story, people: dict[str, User], open_ops: SlackSource
) -> None:
    message = story.sandbox.say(OPS, "U0UMA", "The printer burns")
    story.sandbox.message_shortcut(OPS, message["ts"], "U0WALTER", "create_alert_from_message")
    story.work()
    view = story.sandbox.open_view_of("U0WALTER")
    assert view is not None
    submit(story, "U0WALTER", policy_id=view["blocks"][0]["element"]["options"][0]["value"])
    (alert,) = alerts(story)
    assert alert.summary == "The printer burns"
    assert "Uma wrote this in Slack" in alert.details
    assert len(public(story, OPS)) == 2  # what Uma said, and the line


def test_help_and_the_other_way_to_it(
    story: Story, people: dict[str, User], shop: AlertSource
) -> None:
    assert type_it(story, "U0ADA", "help") is None
    assert "becomes the summary" in said(story, "U0ADA", DB)[0]
    view = type_it(story, "U0ADA", "alert Smoke in the cellar", command="/ilert")
    assert view is not None
    assert "Smoke in the cellar" in texts(view)
