"""Does Slack know our app by the id and the secret that are set here?"""

from flask import current_app

from portal.slack import gateway
from portal.slack.errors import SlackError, words

SETTINGS = ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_SIGNING_SECRETS")


def missing_settings() -> list[str]:
    return [name for name in SETTINGS if not current_app.config[name]]


def refusal() -> str | None:
    """What is wrong, in words, or None. Slack is asked with a code that nobody was given.

    It looks at the client's id and secret first, so `invalid_code` says that both are right.
    """
    try:
        gateway.exchange("tocsin-doctor")
    except SlackError as problem:
        match problem.code:
            case "invalid_code" | "bad_redirect_uri":
                return None
            case "invalid_client_id":
                return "Slack does not know SLACK_CLIENT_ID: copy it from “Basic Information”."
            case "bad_client_secret":
                return "SLACK_CLIENT_SECRET is wrong: copy it from “Basic Information”."
            case code:
                return f"Slack did not say whether it knows the app. {words(code)}"
    return None
