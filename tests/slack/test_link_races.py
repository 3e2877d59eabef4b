"""Is the link right whatever happens at the same moment? On the real database, with real threads."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event

import pytest
from sqlalchemy import func, select, text, update

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.jobs.engine import drain
from portal.slack import erasing, linking, upkeep
from portal.slack.installations import SlackInstallation
from portal.slack.posted import Lane, PostedMessage
from tests.make import make_action, make_alert, make_source
from tests.slack.conftest import Story
from tests.slack.links import credentials, shown_state, state
from tests.together import beside, collide, until, waiting

CHANNELS = ("C0ALERTS", "C0OPS", "C0DB", "C0GENERAL")
PER_CHANNEL = 5
# Whoever stores an authorization waits here, all of them having been to Slack before.
STORING = "LOCK TABLE slack_installations IN EXCLUSIVE MODE"


def finish_at_once(story: Story, *admins: User) -> list[tuple[int, str]]:
    """All of them come back from Slack in the same moment; status and words of each answer."""
    returning = []
    for admin in admins:
        browser = story.browser(admin)
        returning.append((browser, story.sandbox.consent(story.authorize(browser))))
    answers = collide(story.app, STORING, [partial(story.come_back, *each) for each in returning])
    story.work()
    return [(answer.status_code, answer.text) for answer in answers]


def links(story: Story) -> int:
    with story.app.app_context():
        return db.session.scalar(select(func.count()).select_from(SlackInstallation)) or 0


def test_of_two_accounts_that_finish_the_same_workspace_one_wins(story: Story) -> None:
    acme, beta = story.people(), story.people("Beta")
    answers = sorted(finish_at_once(story, acme["adam"], beta["adam"]))
    assert [status for status, _ in answers] == [303, 409]
    assert "Acme is already linked to another account" in answers[1][1]
    assert links(story) == 1
    assert sorted(shown_state(story, p["adam"]) for p in (acme, beta)) == ["linked", "unlinked"]
    called = [request.method for request in story.sandbox.requests()]
    assert not {"auth.revoke", "apps.uninstall"} & set(called)


def test_two_admins_of_one_account_who_finish_at_once_have_both_linked_it(story: Story) -> None:
    acme = story.people()
    answers = finish_at_once(story, acme["adam"], acme["olivia"])
    assert [status for status, _ in answers] == [303, 303]
    assert links(story) == 1
    assert shown_state(story, acme["uma"]) == "linked"


def test_unlinking_and_authorizing_at_once_end_in_a_true_state(story: Story) -> None:
    acme = story.people()
    story.link(acme["olivia"])
    browser = story.browser(acme["adam"])
    callback = story.sandbox.consent(story.authorize(browser))
    answer, _ = collide(
        story.app,
        STORING,
        [
            lambda: story.come_back(browser, callback),
            lambda: linking.unlink(by=db.session.get_one(User, acme["olivia"].id)),
        ],
    )
    assert answer.status_code == 303
    story.work()
    is_installed = any(
        each["is_active"] for each in story.sandbox.state()["installations"].values()
    )
    found = state(story, acme["adam"])[0]
    assert (found == "linked") == is_installed


@pytest.fixture
def acme(story: Story) -> dict[str, User]:
    """Linked, with alerts waiting in several channels."""
    people = story.people()
    story.sandbox.admin("switch", rate_limits=False, fresh_token_on_reinstall=True)
    story.link(people["olivia"])
    with story.app.app_context():
        for channel_id in CHANNELS:
            source, _ = make_source(people["olivia"].account)
            make_action(source, channel_id=channel_id)
            for number in range(PER_CHANNEL):
                make_alert(source, summary=f"{channel_id} {number}")
    return people


@contextmanager
def storm(story: Story) -> Iterator[None]:
    """Workers deliver as fast as they can while the test goes on."""
    is_over = Event()

    def deliver() -> None:
        with story.app.app_context():
            while not is_over.is_set():
                free = update(Lane).values(next_at=now(), paced_at=now())
                db.session.execute(free)
                upkeep.wake_behind()
                db.session.commit()
                drain(story.app)

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(deliver)
        try:
            story.sandbox.requests(method="chat.postMessage", wait=10)
            yield
        finally:
            is_over.set()
        working.result(60)


def behind(story: Story) -> int:
    with story.app.app_context():
        waiting = select(func.count()).where(
            PostedMessage.shown_version < PostedMessage.wanted_version
        )
        return db.session.scalar(waiting) or 0


def failed_jobs(story: Story) -> int:
    """Jobs that raised: they wait to be tried again."""
    with story.app.app_context():
        counted = text("SELECT count(*) FROM procrastinate_jobs WHERE attempts > 0")
        return int(db.session.execute(counted).scalar_one())


def settle(story: Story) -> None:
    while behind(story):
        with story.app.app_context():
            db.session.execute(update(Lane).values(next_at=now(), paced_at=now()))
            upkeep.wake_behind()
            db.session.commit()
        story.work()


def test_authorizing_again_during_a_storm_loses_nothing_and_doubles_nothing(
    story: Story, acme: dict[str, User], caplog: pytest.LogCaptureFixture
) -> None:
    with storm(story):
        for _ in range(4):
            browser = story.browser(acme["adam"])
            callback = story.sandbox.consent(story.authorize(browser))
            assert story.come_back(browser, callback).status_code == 303
    settle(story)
    for channel_id in CHANNELS:
        said = [message["text"] for message in story.sandbox.messages(channel_id)]
        assert len(said) == len(set(said)) == PER_CHANNEL
    assert failed_jobs(story) == 0
    assert "deadlock" not in caplog.text
    assert state(story, acme["adam"]) == ("linked", None)


def test_unlinking_during_a_storm_leaves_nothing_behind(
    story: Story, acme: dict[str, User]
) -> None:
    token = credentials(story, acme["adam"]).token
    with storm(story), story.app.app_context():
        linking.unlink(by=db.session.get_one(User, acme["olivia"].id))
    story.work()
    with story.app.app_context():
        erasing.sweep()
        db.session.commit()
        for table in erasing.tables():
            left = db.session.scalar(select(func.count()).select_from(table))
            assert left == 0, table.name
    assert shown_state(story, acme["uma"]) == "unlinked"
    posted = len(story.sandbox.requests(method="chat.postMessage"))
    with story.app.app_context():
        upkeep.wake_behind()
        db.session.commit()
    story.work()
    assert len(story.sandbox.requests(method="chat.postMessage")) == posted
    assert story.sandbox.state()["tokens"][token]["error"]  # revoked at Slack


def test_unlinking_waits_for_a_delivery_that_is_being_noted(
    story: Story, acme: dict[str, User]
) -> None:
    story.work()

    def unlink() -> None:
        with story.app.app_context():
            linking.unlink(by=db.session.get_one(User, acme["olivia"].id))

    with ThreadPoolExecutor(1) as pool, beside(story.app) as worker:
        worker.execute(text("SELECT 1 FROM slack_lanes FOR UPDATE"))
        unlinking = pool.submit(unlink)
        until(lambda: len(waiting(story.app)) == 1, "the unlinking waits for the lanes")
        worker.execute(text("UPDATE posted_messages SET shown_at = now()"))  # or a deadlock
        worker.commit()
        unlinking.result(20)
    assert shown_state(story, acme["uma"]) == "unlinked"


def test_unlinking_begins_anew_where_it_and_a_delivery_waited_for_each_other(
    story: Story, acme: dict[str, User]
) -> None:
    def unlink() -> None:
        with story.app.app_context():
            linking.unlink(by=db.session.get_one(User, acme["olivia"].id))

    with ThreadPoolExecutor(1) as pool, beside(story.app) as worker:
        worker.execute(text("SET deadlock_timeout = '1min'"))  # it is the other that gives way
        worker.execute(text("SELECT 1 FROM posted_messages FOR UPDATE"))
        unlinking = pool.submit(unlink)
        until(lambda: len(waiting(story.app)) == 1, "the unlinking waits for the messages")
        worker.execute(text("SELECT 1 FROM slack_installations FOR UPDATE"))  # a deadlock
        worker.rollback()
        unlinking.result(20)
    assert shown_state(story, acme["uma"]) == "unlinked"
