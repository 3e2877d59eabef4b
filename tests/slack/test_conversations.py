"""Does the channel picker know every channel, and only those the app may post to?"""

from portal.slack import conversations
from tests.slack.conftest import Story, post


def test_the_list_has_all_pages_and_private_channels_only_where_the_bot_is(story: Story) -> None:
    people = story.people()
    story.link(people["olivia"])
    browser = story.browser(people["uma"])
    assert post(browser, "/alert-actions/channels/refresh").status_code < 400
    for _ in range(20):  # short pages: one job each
        story.work()
    account_id = people["olivia"].account_id or 0
    with story.app.app_context():
        known = conversations.known_channels(account_id)
    names = [channel.name for channel in known.channels]
    assert not known.is_refreshing
    assert known.fetched_at is not None
    assert {"alerts", "ops", "db", "general"} <= set(names)
    assert "war-room" not in names  # private, and the bot is no member
    assert "old-alerts" not in names  # archived
    assert names == sorted(names)
    assert "alerts" in browser.get("/alert-actions/new").text


def test_a_failing_list_says_why_and_keeps_the_old_one(story: Story) -> None:
    people = story.people()
    story.link(people["olivia"])
    account_id = people["olivia"].account_id or 0
    with story.app.app_context():
        conversations.ask_refresh(account_id)
    for _ in range(20):
        story.work()
    story.sandbox.add_fault(effect="error", error="fatal_error", method="conversations.list")
    with story.app.app_context():
        conversations.ask_refresh(account_id)
    story.work()
    with story.app.app_context():
        known = conversations.known_channels(account_id)
    assert known.problem == "Slack answered “fatal_error”."
    assert not known.is_refreshing
    assert known.channels
