"""Is the owner told soon when Slack refuses, and is everything sent after the mending by itself?"""

from tests.benchmarks import figures
from tests.benchmarks.lab import Lab


def run(lab: Lab) -> None:
    for code, mended in (
        ("channel_not_found", "delivered after the fix"),
        ("is_archived", "delivered after the fix"),
    ):
        (channel,) = lab.channels(1)
        key = lab.source(channel)
        lab.control("faults", effect="error", error=code, channel=channel)
        lab.send(key, code)
        about = f"channel:{channel}"
        told = lab.until(
            lambda about=about: lab.sql("SELECT 1 FROM notices WHERE about = %s", about) != [],
            "the owner is told",
        )
        lab.clear_faults()
        took = lab.until(lambda channel=channel: lab.messages(channel) != [], "it is sent", 120)
        figures.say(f"{code}: told after {told:.1f} s, {mended} within {took:.0f} s", "10 s")
    key = lab.source("C0ALERTS")
    lab.control("admin/revoke", team_id="T0ACME")
    lab.send(key, "token_revoked")
    told = lab.until(
        lambda: lab.sql("SELECT 1 FROM notices WHERE about = 'slack_link'") != [], "told"
    )
    lab.link()
    took = lab.until(lambda: "token_revoked" in str(lab.messages("C0ALERTS")), "it is sent")
    figures.say(f"token_revoked: told after {told:.1f} s, sent {took:.1f} s after linking", "10 s")
