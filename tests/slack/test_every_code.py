"""Does any word that Slack refuses with once lose an alert, or show it twice?"""

import pytest

from portal.slack.errors import CODES, Meaning
from tests.slack.conftest import Story
from tests.slack.test_lanes import CHANNEL, POST, an_action, an_alert, later, shown

PATIENCE = 5  # looks, a minute apart


@pytest.mark.parametrize("meaning", CODES, ids=lambda meaning: meaning.name.lower())
def test_an_alert_that_was_refused_is_there_once_in_the_end(story: Story, meaning: Meaning) -> None:
    people = story.people()
    story.link(people["olivia"])
    story.sandbox.admin("invite", channel=CHANNEL)
    source_id = an_action(story, people)
    for code in CODES[meaning]:
        later(story)  # each may go at once
        refusal = story.sandbox.add_fault(effect="error", error=code, method=POST, times=1)
        an_alert(story, source_id, f"Refused with {code}")
        story.work()
        assert refusal.hits == 1, code
        for _ in range(PATIENCE):
            if any(f"with {code}" in text for text in shown(story)):
                break
            later(story)
    refused = [text.partition("with ")[2].split()[0] for text in shown(story)]
    assert sorted(refused) == sorted(CODES[meaning])
