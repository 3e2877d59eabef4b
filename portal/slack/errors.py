"""What does Slack's answer mean for us? One table: Slack's code → what to do, and words for people.

The classes follow Slack's method reference; a code that nobody has listed counts as temporary, so
that it can neither lose a message nor start a storm.
"""

from collections.abc import Sequence
from enum import Enum, auto


class Meaning(Enum):
    LINK_DEAD = auto()  # nothing can be sent until an admin authorizes again
    CHANNEL_CLOSED = auto()  # nothing can be sent to this channel until somebody opens it
    CONTENT_REFUSED = auto()  # the same message would be refused again
    MESSAGE_GONE = auto()  # somebody deleted it, or it cannot be edited any more
    PERSON = auto()  # this person cannot be reached
    ASKED_TO_WAIT = auto()  # rate limits
    TEMPORARY = auto()


MEANINGS: dict[str, Meaning] = {
    **dict.fromkeys(
        [
            "invalid_auth",
            "account_inactive",
            "token_revoked",
            "not_authed",
            "token_expired",
            "invalid_refresh_token",
            "not_linked",
            "link_broken",
        ],
        Meaning.LINK_DEAD,
    ),
    **dict.fromkeys(
        [
            "channel_not_found",
            "is_archived",
            "is_inactive",
            "not_in_channel",
            "channel_is_limited_access",
            "restricted_action",
            "restricted_action_read_only_channel",
            "restricted_action_thread_only_channel",
            "posting_to_channel_denied",
            "missing_scope",
            "ekm_access_denied",
            "no_permission",
        ],
        Meaning.CHANNEL_CLOSED,
    ),
    **dict.fromkeys(
        [
            "invalid_blocks",
            "invalid_blocks_format",
            "msg_too_long",
            "msg_blocks_too_long",
            "no_text",
            "too_many_attachments",
            "attachment_payload_limit_exceeded",
            "invalid_attachments",
            "invalid_metadata_format",
            "invalid_metadata_schema",
            "metadata_too_large",
            "invalid_arguments",
        ],
        Meaning.CONTENT_REFUSED,
    ),
    **dict.fromkeys(
        ["message_not_found", "cant_update_message", "edit_window_closed"], Meaning.MESSAGE_GONE
    ),
    **dict.fromkeys(
        ["users_not_found", "user_not_found", "user_not_visible", "user_not_in_channel"],
        Meaning.PERSON,
    ),
    **dict.fromkeys(
        ["ratelimited", "rate_limited", "message_limit_exceeded"], Meaning.ASKED_TO_WAIT
    ),
}

WORDS: dict[str, str] = {
    "channel_not_found": (
        "Slack does not show this channel to the app. If it is private, type /invite @Tocsin there;"
        " if it was deleted, choose another channel in the alert action."
    ),
    "is_archived": "The channel is archived. Unarchive it, or choose another in the alert action.",
    "is_inactive": "The channel is archived. Unarchive it, or choose another in the alert action.",
    "not_in_channel": "The app is not in the channel. Type /invite @Tocsin there.",
    "restricted_action": "The workspace does not let the app post there. Ask a Slack admin.",
    "missing_scope": "The app lacks a permission. An admin can re-authorize it under Connectors.",
    "unlinked": "The workspace was unlinked first.",
    "timeout": "Slack did not answer in time.",
    "unreachable": "Slack could not be reached.",
    "not_json": "Slack answered with something unreadable.",
    "ratelimited": "Slack asked us to wait.",
    "token_revoked": "The app's token was revoked in Slack.",
    "account_inactive": "The app was removed from the workspace.",
    "invalid_auth": "Slack no longer accepts the app's token.",
    "app_uninstalled": "The app was removed from the workspace in Slack.",
    "tokens_revoked": "The app's token was revoked in Slack.",
    "token_expired": "The app's token has expired.",
    "invalid_refresh_token": "Slack refused to renew the app's token.",
    "dead_token_not_confirmed": "Slack refused the app's token once; it is tried again.",
    "token_refreshing": "The app's token is being renewed.",
    "not_linked": "No workspace is linked.",
    "link_broken": "The link to Slack is broken; an admin can re-authorize it under Connectors.",
    "not_authed": "The app has no token that Slack accepts.",
    "bad_client_secret": "SLACK_CLIENT_SECRET is wrong; the operator can run “tocsin doctor”.",
    "invalid_client_id": "SLACK_CLIENT_ID is wrong; the operator can run “tocsin doctor”.",
    "token_unreadable": (
        "ENCRYPTION_KEYS does not open the app's token. The operator can add the key that was used"
        " before."
    ),
}


class SlackError(Exception):
    """A call that Slack did not carry out. `code` is Slack's, or ours: timeout, unreachable …

    `retry_after` is in seconds and only set where Slack asked to wait. `scopes` is what the answer
    said that the token may do.
    """

    def __init__(
        self, code: str, *, retry_after: int | None = None, scopes: Sequence[str] = ()
    ) -> None:
        super().__init__(code)
        self.code, self.retry_after, self.scopes = code, retry_after, scopes

    @property
    def meaning(self) -> Meaning:
        return MEANINGS.get(self.code, Meaning.TEMPORARY)


def words(code: str) -> str:
    """A sentence for a person."""
    return WORDS.get(code, f"Slack answered “{code}”.")
