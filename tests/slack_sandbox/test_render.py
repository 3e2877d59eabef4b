"""Does Slack's mrkdwn look right as HTML, and can no text break out of it?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from portal.slack_sandbox.render import Names, colour, mrkdwn, plain_text, safe_url

NAMES = Names(people={"U1": "Uma <Ueda>"}, channels={"C1": "ops"}, zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*bold* _italic_ ~gone~", "<strong>bold</strong> <em>italic</em> <s>gone</s>"),
        ("*_both_*", "<strong><em>both</em></strong>"),
        ("2 * 3 * 4, snake_case_name", "2 * 3 * 4, snake_case_name"),
        ("`*code*`", "<code>*code*</code>"),
        ("a\nb", "a<br>b"),
        ("&gt; one\n&gt; two", "<blockquote>one<br>two</blockquote>"),
        ("<@U1>", '<span class="mention">@Uma &lt;Ueda&gt;</span>'),
        ("<@U9>", '<span class="mention">@U9</span>'),
        ("<#C1>", '<span class="mention">#ops</span>'),
        ("<!here>", '<span class="mention">@here</span>'),
        ("<!subteam^S1|@oncall>", '<span class="mention">@oncall</span>'),
        ("&lt;b&gt; &amp;amp;", "&lt;b&gt; &amp;amp;"),
        ("<!date^0^{date_num} {time}|then>", "<time>1970-01-01 01:00</time>"),
        ("<!date^soon^{time}|then>", "then"),
        (":rotating_light: :no_such_emoji:", "🚨 :no_such_emoji:"),
    ],
)
def test_each_form_is_drawn_as_slack_draws_it(text: str, html: str) -> None:
    assert mrkdwn(text, NAMES) == html


def test_what_stands_in_a_fence_stays_as_it_is() -> None:
    assert mrkdwn("```\n*a* &lt;b&gt;\n```", NAMES) == (
        '<pre tabindex="0"><code>*a* &lt;b&gt;</code></pre>'
    )


def test_a_bold_link_keeps_the_signs_in_its_address() -> None:
    assert mrkdwn("*<https://example.com/a*b?c=1&amp;d=2|[Pending] Disk>*", NAMES) == (
        '<strong><a href="https://example.com/a*b?c=1&amp;d=2" target="_blank" '
        'rel="noopener noreferrer">[Pending] Disk</a></strong>'
    )


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "//example.com", "https://a b", "ftp://a", None],
)
def test_only_web_addresses_become_links(url: str | None) -> None:
    assert safe_url(url) is None
    assert "<a" not in mrkdwn(f"<{url}|press me>", NAMES)


@pytest.mark.parametrize("value", ["red", "#12", '#fff"/><script>', "", None])
def test_an_odd_colour_becomes_grey(value: str | None) -> None:
    assert colour(value) == "#8d8d8d"


@pytest.mark.parametrize(("value", "drawn"), [("good", "#2eb67d"), ("d92d20", "#d92d20")])
def test_slacks_colours_are_known(value: str, drawn: str) -> None:
    assert colour(value) == drawn


def test_plain_text_has_no_formatting() -> None:
    assert plain_text("*a* <b>\n:eyes:") == "*a* &lt;b&gt;<br>👀"


@given(st.text(alphabet="<>&*_~`|!@#^{}:\n \"'abc/", max_size=60))
def test_no_text_makes_a_tag_of_its_own(text: str) -> None:
    """What comes out has only tags and attributes that the drawing itself writes."""
    drawn = mrkdwn(text, NAMES)
    for tag in ("strong", "em", "s", "code", "pre", "blockquote", "time", "a", "span"):
        assert drawn.count(f"</{tag}>") == drawn.count(f"<{tag}>") + drawn.count(f"<{tag} ")
    assert Markup(drawn).count("<") == sum(
        drawn.count(opening)
        for tag in ("strong", "em", "s", "code", "pre", "blockquote", "time", "a", "span")
        for opening in (f"</{tag}>", f"<{tag}>", f"<{tag} ")
    ) + drawn.count("<br>")
