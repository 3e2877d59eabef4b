"""Does no redirect carry a token, a code or a secret away? Slack's API redirects nobody."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from portal.slack import gateway
from portal.slack.errors import SlackError
from tests.slack.conftest import Story


class Elsewhere:
    """Another host, which remembers who came and answers as Slack would to good news."""

    def __init__(self) -> None:
        self.came: list[str] = []
        self.server = make_server("127.0.0.1", 0, self.answer, threaded=True)
        self.url = f"http://localhost:{self.server.server_port}/"

    def answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.came.append(f"{environ['REQUEST_METHOD']} {environ.get('HTTP_AUTHORIZATION')}")
        answer = Response('{"ok": true, "user_id": "U0BOT"}', content_type="application/json")
        return answer(environ, start_response)


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    other = Elsewhere()
    thread = threading.Thread(target=other.server.serve_forever)
    thread.start()
    yield other
    other.server.shutdown()
    thread.join()
    other.server.server_close()


def test_a_token_follows_no_redirect(story: Story, elsewhere: Elsewhere) -> None:
    story.sandbox.add_fault(effect="redirect", method="auth.test", location=elsewhere.url)
    with story.app.app_context(), pytest.raises(SlackError) as refused:
        gateway.call("xoxb-secret-token", "auth.test")
    assert elsewhere.came == []
    assert refused.value.is_outage


def test_a_code_and_the_clients_secret_follow_no_redirect(
    story: Story, elsewhere: Elsewhere
) -> None:
    people = story.people()
    browser = story.browser(people["adam"])
    callback = story.sandbox.consent(story.authorize(browser))
    story.sandbox.add_fault(effect="redirect", method="oauth.v2.access", location=elsewhere.url)
    answer = story.come_back(browser, callback)
    assert elsewhere.came == []
    assert "Slack could not be reached" in answer.text
    assert story.installation(people["adam"].account_id or 0) is None


@pytest.mark.parametrize("body", ["[1]", "[]", '"ok"', "7"])
def test_json_that_is_no_object_is_no_answer(
    story: Story, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(environ: Any, start_response: Any) -> Any:
        return Response(body, content_type="application/json")(environ, start_response)

    server = make_server("127.0.0.1", 0, answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setitem(story.app.config, "SLACK_API_URL", url)
    try:
        with story.app.app_context(), pytest.raises(SlackError) as refused:
            gateway.call("xoxb-secret-token", "auth.test")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert refused.value.code == "not_json"
