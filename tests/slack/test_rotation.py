"""Does a token that lives twelve hours stay good for years, refreshed once by whoever comes first?

https://docs.slack.dev/authentication/using-token-rotation, slack.md 1.5.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select, text, update

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.notices.models import Notice
from portal.slack import revocations, rotation, upkeep, workspace
from portal.slack.errors import SlackError
from portal.slack.installations import Credentials, Revocation, SlackInstallation
from tests.slack.conftest import Story, post
from tests.slack.links import (
    account_of,
    alert,
    catch_up,
    credentials,
    last_call,
    methods,
    page,
    shown_state,
    state,
    texts,
)
from tests.together import until

TWELVE_HOURS = 43_200


@pytest.fixture
def cast(story: Story) -> dict[str, User]:
    """Acme's people, with the workspace linked by an app whose tokens rotate."""
    story.sandbox.admin("switch", token_rotation=True, rate_limits=False)
    made = story.people()
    story.link(made["olivia"])
    return made


def ends_in(story: Story, left: timedelta) -> None:
    """As if the token had been got so long ago, on both sides."""
    story.sandbox.clock(advance=TWELVE_HOURS - left.total_seconds())
    change(story, token_expires_at=now() + left)


def change(story: Story, **values: object) -> None:
    with story.app.app_context():
        db.session.execute(update(SlackInstallation).values(**values))
        db.session.commit()


def ask(story: Story, known: Credentials, method: str = "auth.test") -> str:
    """Call Slack; returns the code of the failure, or nothing."""
    with story.app.app_context():
        try:
            workspace.call(known, method)
        except SlackError as problem:
            return problem.code
    return ""


def together(number: int, act: Callable[[], str]) -> list[str]:
    """The same from several workers at once, each with an app context of its own."""
    start = Barrier(number)

    def run(_: int) -> str:
        start.wait()
        return act()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


def refreshes(story: Story, since: int) -> int:
    return methods(story, since).count("oauth.v2.access")


def look_after(story: Story) -> None:
    with story.app.app_context():
        upkeep.look_after_links()
        db.session.commit()
    story.work()


def test_ten_workers_with_an_expired_token_refresh_it_once(
    story: Story, cast: dict[str, User]
) -> None:
    old = credentials(story, cast["adam"])
    assert old.expires_at is not None
    ends_in(story, timedelta(seconds=-1))
    story.sandbox.add_fault(
        method="oauth.v2.access", effect="hang", seconds=0.5, after_processing=True
    )
    since = last_call(story)
    codes = together(10, lambda: ask(story, old))
    assert set(codes) <= {"", "token_refreshing"}
    assert codes.count("") >= 1
    assert refreshes(story, since) == 1
    assert together(10, lambda: ask(story, old)) == [""] * 10  # also with the token of before
    assert refreshes(story, since) == 1
    new = credentials(story, cast["adam"])
    assert new.token != old.token
    assert new.expires_at is not None
    assert new.expires_at > now() + timedelta(hours=11)
    assert "token_expired" not in str(story.sandbox.requests(since=since))
    assert state(story, cast["adam"]) == ("linked", None)


def test_a_token_that_slack_calls_expired_is_refreshed_whatever_our_clock_says(
    story: Story, cast: dict[str, User]
) -> None:
    known = credentials(story, cast["adam"])
    story.sandbox.clock(advance=TWELVE_HOURS)
    since = last_call(story)
    assert ask(story, known) == ""
    assert methods(story, since) == ["auth.test", "oauth.v2.access", "auth.test"]


def test_the_new_pair_is_stored_before_it_is_used(story: Story, cast: dict[str, User]) -> None:
    old = credentials(story, cast["adam"])
    ends_in(story, timedelta(seconds=-1))
    story.sandbox.add_fault(effect="reset", method="auth.test")
    assert ask(story, old) == "unreachable"
    story.sandbox.clear_faults()
    new = credentials(story, cast["adam"])
    assert new.token != old.token
    since = last_call(story)
    assert ask(story, new) == ""
    assert methods(story, since) == ["auth.test"]


def test_a_lost_answer_is_asked_for_again(story: Story, cast: dict[str, User]) -> None:
    old = credentials(story, cast["adam"])
    ends_in(story, timedelta(seconds=-1))
    story.sandbox.add_fault(
        method="oauth.v2.access", effect="reset", after_processing=True, times=1
    )
    assert ask(story, old) == "unreachable"
    assert ask(story, old) == "token_refreshing"
    with story.app.app_context():
        until = db.session.scalar(select(SlackInstallation.refresh_not_before))
    assert until is not None
    assert until - now() < timedelta(seconds=30)  # Slack's grace is short
    change(story, refresh_not_before=now())
    assert ask(story, old) == ""
    assert state(story, cast["adam"]) == ("linked", None)


def test_after_a_lost_answer_the_clock_asks_again_in_seconds_though_nothing_is_sent(
    story: Story, cast: dict[str, User]
) -> None:
    old = credentials(story, cast["adam"])
    ends_in(story, timedelta(hours=1))
    story.sandbox.add_fault(
        method="oauth.v2.access", effect="reset", after_processing=True, times=1
    )
    look_after(story)
    assert credentials(story, cast["adam"]).token == old.token
    assert ask(story, old) == ""  # the old one is good for an hour
    with story.app.app_context():
        waits = text(
            "SELECT extract(epoch FROM scheduled_at - now()) FROM procrastinate_jobs"
            " WHERE task_name = 'refresh' AND status = 'todo'"
        )
        (seconds,) = db.session.scalars(waits).all()
        assert 0 < seconds < 30
        db.session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = now()"))
        db.session.commit()
    change(story, refresh_not_before=now())
    story.work()
    assert credentials(story, cast["adam"]).token != old.token
    with story.app.app_context():
        assert db.session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 0


@pytest.mark.parametrize("knows_the_end", [True, False])
def test_a_lost_answer_to_a_messages_call_is_asked_for_again_before_slacks_grace_ends(
    story: Story, cast: dict[str, User], knows_the_end: bool
) -> None:
    old = credentials(story, cast["adam"])
    if knows_the_end:
        ends_in(story, timedelta(seconds=-1))
    else:
        story.sandbox.clock(advance=TWELVE_HOURS)
    story.sandbox.add_fault(
        method="oauth.v2.access", effect="reset", after_processing=True, times=1
    )
    assert ask(story, old) == "unreachable"
    with story.app.app_context():
        waits = text(
            "SELECT extract(epoch FROM scheduled_at - now()) FROM procrastinate_jobs"
            " WHERE task_name = 'refresh' AND status = 'todo'"
        )
        (seconds,) = db.session.scalars(waits).all()
        assert 0 < seconds < 30
        db.session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = now()"))
        db.session.commit()
    change(story, refresh_not_before=now())
    story.work()
    assert credentials(story, cast["adam"]).token != old.token
    assert state(story, cast["adam"]) == ("linked", None)


def test_a_refused_refresh_breaks_the_link_once_and_authorizing_is_the_way_out(
    story: Story, cast: dict[str, User]
) -> None:
    alert(story, cast["olivia"], "C0OPS")
    known = credentials(story, cast["adam"])
    ends_in(story, timedelta(seconds=-1))
    story.sandbox.add_fault(method="oauth.v2.access", effect="error", error="invalid_refresh_token")
    since = last_call(story)
    codes = together(10, lambda: ask(story, known))
    assert set(codes) <= {"invalid_refresh_token", "token_refreshing", "link_broken"}
    for _ in range(5):
        assert ask(story, known) == "link_broken"
        look_after(story)
        catch_up(story)
    assert methods(story, since) == ["oauth.v2.access"]
    assert state(story, cast["adam"]) == ("broken", "invalid_refresh_token")
    with story.app.app_context():
        admins = {cast["olivia"].id, cast["adam"].id}
        assert set(db.session.scalars(select(Notice.user_id))) == admins
    story.sandbox.clear_faults()
    story.link(cast["adam"])
    assert shown_state(story, cast["adam"]) == "linked"
    assert len(texts(story, "C0OPS")) == 1


def test_slack_down_at_the_end_of_a_token_waits_and_makes_no_storm(
    story: Story, cast: dict[str, User]
) -> None:
    known = credentials(story, cast["adam"])
    alert(story, cast["olivia"], "C0OPS")
    ends_in(story, timedelta(seconds=-1))
    story.sandbox.add_fault(effect="server_error", method="*")
    since = last_call(story)
    for _ in range(3):
        together(10, lambda: ask(story, known))
        look_after(story)
        catch_up(story)
    assert refreshes(story, since) == 1
    assert len(methods(story, since)) <= 4  # and a look, each time, whether Slack is back
    waits = []
    for _ in range(9):
        change(story, refresh_not_before=now())
        assert ask(story, known).startswith("http_")
        with story.app.app_context():
            until = db.session.scalar(select(SlackInstallation.refresh_not_before))
        assert until is not None
        waits.append(round((until - now()).total_seconds()))
    assert waits == sorted(waits)
    assert 500 < waits[-1] <= 600
    assert shown_state(story, cast["adam"]) == "linked"
    story.sandbox.clear_faults()
    change(story, refresh_not_before=now())
    catch_up(story)
    assert len(texts(story, "C0OPS")) == 1
    assert state(story, cast["adam"]) == ("linked", None)


def test_the_clock_refreshes_a_link_over_which_nothing_is_sent(
    story: Story, cast: dict[str, User]
) -> None:
    ends_in(story, timedelta(hours=3))
    since = last_call(story)
    look_after(story)
    assert refreshes(story, since) == 0
    for _ in range(4):  # two days
        ends_in(story, timedelta(hours=1))
        look_after(story)
    assert refreshes(story, since) == 4
    assert ask(story, credentials(story, cast["adam"])) == ""


def test_a_refresh_that_comes_after_a_new_authorization_changes_nothing(
    story: Story, cast: dict[str, User]
) -> None:
    old = credentials(story, cast["adam"])
    ends_in(story, timedelta(seconds=-1))
    hang = story.sandbox.add_fault(
        method="oauth.v2.access", effect="hang", seconds=1, after_processing=True, times=1
    )
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(ask, story, old)
        until(lambda: hang.hits == 1, "Slack has begun to refresh")
        story.link(cast["adam"])
        present = credentials(story, cast["adam"])
        assert slow.result(20) == ""
    assert credentials(story, cast["adam"]) == present
    assert ask(story, present) == ""


def test_an_app_without_rotation_never_refreshes(story: Story) -> None:
    people = story.people()
    story.link(people["olivia"])
    known = credentials(story, people["adam"])
    assert known.expires_at is None
    since = last_call(story)
    look_after(story)
    assert ask(story, known) == ""
    with story.app.app_context():
        rotation.refresh_ahead(account_id=account_of(people["adam"]))
    assert methods(story, since) == ["auth.test"]
    story.sandbox.add_fault(effect="error", error="token_expired")
    assert ask(story, known) == "token_expired"
    assert state(story, people["adam"]) == ("broken", "token_expired")
    assert refreshes(story, since) == 0


def test_a_wrong_client_secret_breaks_the_link_once_the_token_has_expired(
    story: Story, cast: dict[str, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = credentials(story, cast["adam"])
    monkeypatch.setitem(story.app.config, "SLACK_CLIENT_SECRET", "of another app")
    ends_in(story, timedelta(minutes=1))
    assert ask(story, known) == ""  # the old token is good for another minute
    assert shown_state(story, cast["adam"]) == "linked"
    change(story, refresh_not_before=now(), token_expires_at=now())
    assert ask(story, credentials(story, cast["adam"])) == "bad_client_secret"
    assert shown_state(story, cast["adam"]) == "broken"
    assert "tocsin doctor" in page(story, cast["adam"])


def test_a_token_that_expired_while_slack_was_away_is_renewed_to_be_revoked(
    story: Story, cast: dict[str, User]
) -> None:
    story.sandbox.add_fault(effect="server_error", method="apps.uninstall", times=1)
    post(story.browser(cast["adam"]), "/settings/connectors/slack/unlink")
    story.work()
    story.sandbox.clock(advance=13 * 3600)
    with story.app.app_context():
        waiting = db.session.scalars(select(Revocation)).one()
        waiting.next_try_at = now()
        db.session.commit()
        revocations.revoke_token(revocation_id=waiting.id)
    story.work()
    with story.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Revocation)) == 0
    assert "apps.uninstall" in methods(story)
    assert not any(each["is_active"] for each in story.sandbox.state()["installations"].values())
