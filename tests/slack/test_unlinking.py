"""Does unlinking end everything, here at once and at Slack as soon as it answers? (product.md 2.4)"""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select, text

from portal.db import Base, db, now
from portal.domain.accounts.models import User
from portal.domain.alerts.models import Alert, AlertStatus, TimelineEntry, TimelineKind
from portal.domain.audit.actions import AuditAction
from portal.domain.audit.models import AuditEntry
from portal.domain.routing.models import AlertAction
from portal.slack import (
    connects,
    conversations,
    erasing,
    gateway,
    linking,
    replies,
    revocations,
    upkeep,
)
from portal.slack.channels import SlackChannel
from portal.slack.clicks import SlackClick, SlackCommand
from portal.slack.direct_notes import DirectNote
from portal.slack.home import HomeTab
from portal.slack.installations import Revocation, SlackInstallation
from portal.slack.pacing import Outage
from portal.slack.people import UserLink
from portal.slack.posted import PostedMessage, Summary, ThreadComment, ThreadReply
from portal.slack.unlinked import UnlinkedPerson, Why
from portal.slack.user_groups import UserGroup
from portal.slack.windows import SlackModal
from tests.make import make_action, make_alert, make_policy, make_source
from tests.slack.conftest import Story, post
from tests.slack.links import (
    account_of,
    alert,
    credentials,
    last_call,
    methods,
    page,
    shown_state,
    state,
    texts,
)
from tests.slack.signed import FORM, click_payload, interaction, signed
from tests.together import collide

# What Slack may answer to apps.uninstall, and what it says of the token's end.
OVER: tuple[dict[str, Any], ...] = (
    {"effect": "error", "error": "account_inactive"},
    {"effect": "error", "error": "token_revoked"},
    {"effect": "error", "error": "invalid_auth"},
    {"effect": "error", "error": "no_permission"},  # then the token alone is revoked
    {"effect": "error", "error": "bad_client_secret"},
    {"effect": "error", "error": "client_id_token_mismatch"},
)
LATER: tuple[dict[str, Any], ...] = (
    {"effect": "server_error"},
    {"effect": "error", "error": "fatal_error"},
    {"effect": "not_json"},
    {"effect": "reset"},
    {"effect": "hang", "seconds": 0.5, "after_processing": True},
    {"effect": "rate_limited", "retry_after": 90},
)


@pytest.fixture
def cast(story: Story) -> dict[str, User]:
    made = story.people()
    story.link(made["olivia"])
    return made


def unlink(story: Story, person: User) -> None:
    answer = post(story.browser(person), "/settings/connectors/slack/unlink")
    assert answer.status_code == 303


def counted(story: Story, table: Any) -> int:
    with story.app.app_context():
        return int(db.session.execute(select(func.count()).select_from(table)).scalar_one())


def everything(story: Story) -> str:
    """The whole database as text, bytes in hexadecimal digits, the queue of jobs as well."""
    with story.app.app_context():
        names = db.session.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        )
        return "".join(
            str(db.session.scalar(text(f"SELECT string_agg(t::text, ' ') FROM {name} t")))
            for name in names
        )


def fill(story: Story, person: User, alert_id: int) -> None:
    """Something in every table that keeps what we know of a workspace."""
    account_id = account_of(person)
    with story.app.app_context():
        conversations.ask_refresh(account_id)
        db.session.add(
            DirectNote(account_id=account_id, slack_user_id="U0ADA", text="Hello", path="/alerts")
        )
        db.session.add(HomeTab(account_id=account_id, slack_user_id="U0ADA"))
        db.session.add(Outage(account_id=account_id, reason="http_503", next_try_at=now()))
        db.session.add(Summary(account_id=account_id, channel_id="C0OPS", channel_name="ops"))
        db.session.add(
            SlackClick(
                account_id=account_id,
                slack_user_id="U0WALTER",
                user_team_id="T0ACME",
                channel_id="C0ALERTS",
                action_id="alert_resolve",
                alert_id=alert_id,
            )
        )
        db.session.add(
            SlackCommand(
                account_id=account_id,
                slack_user_id="U0WALTER",
                channel_id="C0ALERTS",
                command="/il-oncall",
                text="",
                is_owed=True,
            )
        )
        posted = db.session.scalars(select(PostedMessage)).first()
        entry = db.session.scalars(select(TimelineEntry)).first()
        assert posted is not None
        assert entry is not None
        place = {"account_id": account_id, "channel_id": "C0ALERTS"}
        db.session.add(
            ThreadReply(
                **place, channel_name="alerts", posted_message_id=posted.id, entry_id=entry.id
            )
        )
        db.session.add(SlackChannel(**place, channel_name="alerts", is_shared=False))
        db.session.add(
            SlackModal(
                **place,
                slack_user_id="U0WALTER",
                kind="respond",
                subject={"alert_id": alert_id},
                trigger_id="1.2",
            )
        )
        connects.offer(account_id, "U0WALTER")
        db.session.add(UnlinkedPerson(user_id=person.id, account_id=account_id, why=Why.GUEST))
        db.session.add(ThreadComment(**place, ts="1.0", entry_id=entry.id))
        policy = make_policy(person.account, [person])
        db.session.add(UserGroup(policy_id=policy.id, account_id=account_id, handle="oncall"))
        replies.say(
            "Hello",
            account_id=account_id,
            slack_user_id="U0ADA",
            channel_id="C0ALERTS",
            response_url=None,
        )
        db.session.commit()


def test_the_question_counts_exactly_what_is_then_deleted(
    story: Story, cast: dict[str, User]
) -> None:
    account_id = account_of(cast["olivia"])
    story.sandbox.add_fault(effect="server_error", method="chat.*")
    with story.app.app_context():
        sources = [make_source(cast["olivia"].account)[0] for _ in range(3)]
        for source in sources:
            make_action(source, channel_id="C0OPS")
        first = make_alert(sources[0])
        copy = text(
            "INSERT INTO alerts SELECT (json_populate_record(a, json_build_object("
            "'id', 1000000 + n, 'alert_key', 'k' || n))).* FROM alerts a, generate_series(1, :n) n"
            " WHERE a.id = :id"
        )
        db.session.execute(copy, {"n": 1233, "id": first.id})
        wait = text(
            "INSERT INTO posted_messages (account_id, alert_id, channel_id, channel_name, created_at,"
            " wanted_version, shown_version, attempts) SELECT account_id, id, 'C0OPS', 'ops', now(),"
            " 1, 0, 0 FROM alerts WHERE id > 1000000"
        )
        db.session.execute(wait)
        db.session.commit()
    links = counted(story, UserLink)
    shown = page(story, cast["olivia"])
    assert "It deletes 3 alert actions and" in shown
    assert f"{links} links between people and Slack" in shown
    assert "cancels 1234 waiting deliveries" in shown
    unlink(story, cast["olivia"])
    with story.app.app_context():
        unlinked = AuditEntry.action == AuditAction.WORKSPACE_UNLINKED
        said = db.session.scalars(select(AuditEntry).where(unlinked)).one().details
        cancelled = select(func.count()).where(TimelineEntry.kind == TimelineKind.SLACK_FAILED)
        assert db.session.scalar(cancelled) == 1234
        consequences = linking.unlink_consequences(account_id)
    assert said == {
        "alert_actions": 3,
        "user_links": links,
        "dedicated_channels": 0,
        "slack_source_channels": 0,
        "waiting_deliveries": 1234,
    }
    assert set(consequences.values()) == {0}
    assert counted(story, AlertAction) == counted(story, PostedMessage) == 0


def test_nothing_of_the_workspace_is_left_in_any_table(story: Story, cast: dict[str, User]) -> None:
    alert_id = alert(story, cast["olivia"])
    story.work()
    story.sandbox.add_fault(effect="server_error", method="*")
    fill(story, cast["olivia"], alert_id)
    ours = [
        mapper.class_
        for mapper in Base.registry.mappers
        if mapper.class_.__module__.startswith("portal.slack.")
        and hasattr(mapper.class_, "account_id")
        and mapper.class_.__name__ not in ("OAuthState", "Revocation")
    ]
    assert [each.__name__ for each in ours if counted(story, each) == 0] == []
    with story.app.app_context():
        tokens = select(text("encode(bot_token, 'hex')")).select_from(SlackInstallation)
        sealed = str(db.session.scalar(tokens))
    token = credentials(story, cast["olivia"]).token
    assert sealed in everything(story)
    unlink(story, cast["adam"])
    assert [each.__name__ for each in ours if counted(story, each) > 0] == []
    assert sealed not in everything(story)
    story.sandbox.clear_faults()
    with story.app.app_context():
        waiting = db.session.scalars(select(Revocation)).one()
        assert waiting.bot_token == token  # encrypted anew, until Slack confirms
        revocations.revoke_token(revocation_id=waiting.id)
    left = everything(story)
    assert counted(story, Revocation) == 0
    for secret in (token, token.encode().hex()):
        assert secret not in left
    for trace in ("U0ADA", "U0WALTER", "xoxb"):
        assert trace not in left, trace


def test_every_answer_of_slacks_leaves_it_unlinked(
    story: Story, cast: dict[str, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "TIMEOUT", 0.2)
    story.sandbox.admin("switch", rate_limits=False)
    for fault in OVER + LATER:
        story.sandbox.add_fault(method="apps.uninstall", **fault)
        unlink(story, cast["adam"])
        assert shown_state(story, cast["adam"]) == "unlinked"
        story.work()
        assert counted(story, Revocation) == (fault in LATER), fault
        is_said = "Slack has not confirmed the removal yet" in page(story, cast["uma"])
        assert is_said == (fault in LATER), fault
        if fault in LATER:
            with story.app.app_context():
                waiting = db.session.scalars(select(Revocation)).one()
                assert waiting.attempts == 1
                assert waiting.next_try_at - now() < timedelta(hours=1)
                assert waiting.next_try_at - now() > timedelta(
                    seconds=fault.get("retry_after", 1) - 1
                )
        story.sandbox.clear_faults()
        story.link(cast["adam"])
        assert counted(story, Revocation) == 0
    assert state(story, cast["adam"]) == ("linked", None)
    assert "The Slack workspace is unlinked" not in page(story, cast["adam"])


def test_an_app_that_may_not_uninstall_itself_has_its_token_revoked(
    story: Story, cast: dict[str, User]
) -> None:
    for code in ("no_permission", "not_allowed_token_type"):
        story.sandbox.add_fault(method="apps.uninstall", effect="error", error=code)
        since = last_call(story)
        unlink(story, cast["adam"])
        story.work()
        assert methods(story, since) == ["apps.uninstall", "auth.revoke"]
        assert counted(story, Revocation) == 0
        story.sandbox.clear_faults()
        story.link(cast["adam"])


def test_a_token_that_slack_never_confirms_is_erased_after_a_day(
    story: Story, cast: dict[str, User]
) -> None:
    story.sandbox.add_fault(effect="server_error", method="apps.uninstall")
    unlink(story, cast["adam"])
    story.work()
    began = datetime.now(UTC)
    for hours, is_kept in ((1.1, True), (23.9, True), (25, False)):
        with time_machine.travel(began + timedelta(hours=hours)), story.app.app_context():
            for waiting in db.session.scalars(select(Revocation.id)).all():
                revocations.revoke_token(revocation_id=waiting)
        assert counted(story, Revocation) == is_kept, hours


def test_pressing_twice_is_answered_in_words(story: Story, cast: dict[str, User]) -> None:
    unlink(story, cast["adam"])
    again = post(story.browser(cast["olivia"]), "/settings/connectors/slack/unlink")
    assert again.status_code == 409
    assert "not linked to a Slack workspace" in again.text


def test_old_buttons_commands_and_options_answer_politely(
    story: Story, cast: dict[str, User]
) -> None:
    alert(story, cast["olivia"])
    story.work()
    (message,) = story.sandbox.messages("C0ALERTS")
    story.sandbox.add_fault(effect="server_error", method="apps.uninstall")
    unlink(story, cast["adam"])
    delivery = story.sandbox.click(
        user_id="U0ADA", channel_id="C0ALERTS", ts=message["ts"], action_id="alert_acknowledge"
    )
    assert delivery.status == 200
    story.work()
    (told,) = story.sandbox.ephemerals("U0ADA")
    assert "This workspace is not linked" in told["text"]
    assert texts(story)[0].startswith("[Pending]")
    browser = story.browser()
    loads = {"type": "block_suggestion", "team": {"id": "T0ACME"}, "value": "x"}
    options = browser.post("/slack/options", **signed(interaction(loads)))
    assert options.get_json() == {"options": []}
    command = browser.post("/slack/commands", **signed("command=%2Filert&team_id=T0ACME", FORM))
    assert command.status_code == 200
    assert command.get_json()["response_type"] == "ephemeral"
    stranger = interaction(click_payload("alert_resolve", "1", team_id="T0NEVER"))
    assert browser.post("/slack/interactions", **signed(stranger)).status_code == 200
    for event in ({"type": "app_uninstalled"}, {"type": "tokens_revoked"}):
        (answer,) = story.sandbox.send_event("T0ACME", event)
        assert answer.status == 200
    assert shown_state(story, cast["adam"]) == "unlinked"


def test_old_buttons_do_nothing_for_the_account_that_has_the_workspace_now(
    story: Story, cast: dict[str, User]
) -> None:
    """For Slack both links are the same app, so it delivers clicks on what the first account sent."""
    of_acme = alert(story, cast["olivia"], summary="Of the first account")
    story.work()
    (message,) = story.sandbox.messages("C0ALERTS")
    unlink(story, cast["adam"])
    story.work()
    beta = story.people("Beta")
    story.link(beta["adam"])
    with story.app.app_context():
        of_beta = UserLink(account_id=account_of(beta["adam"]), user_id=beta["adam"].id)
        of_beta.slack_user_id = "U0ADAM"
        db.session.add(of_beta)
        db.session.commit()
    story.sandbox.click("C0ALERTS", message["ts"], "alert_acknowledge", "U0ADAM")
    story.work()
    (told,) = story.sandbox.ephemerals("U0ADAM")
    assert "first account" not in told["text"]
    with story.app.app_context():
        assert db.session.get_one(Alert, of_acme).status is AlertStatus.PENDING
    assert texts(story)[0].startswith("[Pending]")


def test_linking_again_ends_a_revocation_that_would_kill_the_new_link(
    story: Story, cast: dict[str, User]
) -> None:
    beta = story.people("Beta")
    for person in (cast["adam"], beta["adam"]):
        story.sandbox.add_fault(effect="server_error", method="apps.uninstall")
        unlink(story, cast["olivia"])
        story.work()
        assert counted(story, Revocation) == 1
        story.sandbox.clear_faults()
        story.link(person)
        assert counted(story, Revocation) == 0
        since = last_call(story)
        with story.app.app_context():
            upkeep.wake_behind()
            db.session.commit()
        story.work()
        assert "apps.uninstall" not in methods(story, since)
        assert state(story, person) == ("linked", None)
    assert shown_state(story, cast["adam"]) == "unlinked"
    alert(story, beta["olivia"], summary="Of Beta")
    story.work()
    assert "Of Beta" in texts(story)[0]


def test_an_alert_that_came_during_the_unlinking_never_turns_up(
    story: Story, cast: dict[str, User]
) -> None:
    for is_swept, channel_id in ((True, "C0OPS"), (False, "C0DB")):
        with story.app.app_context():
            source, _ = make_source(cast["olivia"].account)
            make_action(source, channel_id=channel_id)

        def unlink_now() -> None:
            linking.unlink(by=db.session.get_one(User, cast["adam"].id))

        stop = "LOCK TABLE procrastinate_jobs IN ACCESS EXCLUSIVE MODE"
        made, ended = collide(story.app, stop, [partial(make_alert, source), unlink_now])
        assert made.id, made
        assert ended is None, ended
        assert counted(story, PostedMessage) == 1  # nobody could see it
        if is_swept:
            with story.app.app_context():
                upkeep.prune(now())
                db.session.commit()
            assert counted(story, PostedMessage) == 0
        story.link(cast["adam"])
        assert counted(story, PostedMessage) == 0
        assert texts(story, channel_id) == []


def test_what_waits_for_a_first_link_is_not_swept(story: Story) -> None:
    people = story.people()
    alert(story, people["olivia"], "C0OPS")
    with story.app.app_context():
        erasing.sweep()
        db.session.commit()
    assert counted(story, PostedMessage) == 1
    story.link(people["olivia"])
    assert len(texts(story, "C0OPS")) == 1
