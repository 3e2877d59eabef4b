"""What does Slack's answer mean for us? One table: Slack's code → what to do, and words for people.

The classes follow Slack's method reference (slack.md 4.2); a code that nobody has listed counts as
temporary, so that it can neither lose a message nor start a storm.
"""

import socket
from collections.abc import Sequence
from enum import Enum, auto


class Meaning(Enum):
    LINK_DEAD = auto()  # nothing can be sent until an admin authorizes again
    CHANNEL_CLOSED = auto()  # nothing can be sent to this channel until somebody opens it
    TOO_LONG = auto()  # a shorter message would be taken
    CONTENT_REFUSED = auto()  # the same message would be refused again
    MESSAGE_GONE = auto()  # somebody deleted it, or it cannot be edited any more
    PERSON = auto()  # this person cannot be reached
    ASKED_TO_WAIT = auto()  # rate limits
    TEMPORARY = auto()


CODES: dict[Meaning, tuple[str, ...]] = {
    Meaning.LINK_DEAD: (
        "invalid_auth",
        "account_inactive",
        "token_revoked",
        "not_authed",
        "token_expired",
        "invalid_refresh_token",
        "not_linked",
        "link_broken",
    ),
    Meaning.CHANNEL_CLOSED: (
        "channel_not_found",
        "is_archived",
        "is_inactive",
        "not_in_channel",
        "channel_is_limited_access",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
        "posting_to_channel_denied",
        "missing_scope",
        "not_allowed_token_type",
        "ekm_access_denied",
        "access_denied",
        "accesslimited",
        "enterprise_is_restricted",
        "team_access_not_granted",
        "two_factor_setup_required",
        "app_access_restricted",
        "no_permission",
        "permission_denied",
        "channel_deleted",
        "bot_left",
    ),
    Meaning.TOO_LONG: ("msg_too_long", "msg_blocks_too_long", "attachment_payload_limit_exceeded"),
    Meaning.CONTENT_REFUSED: (
        "invalid_blocks",
        "invalid_blocks_format",
        "no_text",
        "too_many_attachments",
        "invalid_attachments",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "metadata_too_large",
        "metadata_must_be_sent_from_app",
        "markdown_text_conflict",
        "block_mismatch",
        "invalid_arguments",
        "invalid_arg_name",
        "invalid_array_arg",
        "invalid_charset",
        "invalid_form_data",
        "invalid_post_type",
        "missing_post_type",
        "missing_argument",
        "invalid_json",
        "json_not_object",
    ),
    Meaning.MESSAGE_GONE: (
        "message_not_found",
        "thread_not_found",
        "cant_update_message",
        "edit_window_closed",
    ),
    Meaning.PERSON: (
        "users_not_found",
        "user_not_found",
        "user_not_visible",
        "user_disabled",
        "user_not_in_channel",
        "cannot_dm_bot",
        "messages_tab_disabled",
    ),
    Meaning.ASKED_TO_WAIT: (
        "ratelimited",
        "rate_limited",
        "message_limit_exceeded",
        "too_many_requests",
    ),
    Meaning.TEMPORARY: (
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "update_failed",
        "team_added_to_org",
        "org_login_required",
        "external_channel_migrating",
        "timeout",
        "unreachable",
        "not_json",
        "dead_token_not_confirmed",
        "token_refreshing",
    ),
}
MEANINGS = {code: meaning for meaning, codes in CODES.items() for code in codes}
# The channel itself is no longer there for us, whatever we want of it.
CHANNEL_GONE = {
    "is_archived",
    "is_inactive",
    "channel_not_found",
    "channel_deleted",
    "not_in_channel",
    "bot_left",
}
# Slack may have carried the call out although we heard nothing good.
OUTCOME_UNKNOWN = {"timeout", "unreachable", "not_json", "fatal_error", "request_timeout"}

INVITE = "Type /invite @Tocsin there"
CHOOSE = "or choose another channel in the alert action."
WORDS: dict[str, str] = {
    "channel_not_found": (
        f"Slack does not show this channel to the app. If it is private: {INVITE}; if it was"
        f" deleted, choose another channel in the alert action."
    ),
    "channel_deleted": "The channel was deleted. Choose another channel in the alert action.",
    "is_archived": f"The channel is archived. Unarchive it, {CHOOSE}",
    "is_inactive": f"The channel is archived. Unarchive it, {CHOOSE}",
    "not_in_channel": f"The app is not in the channel. {INVITE}.",
    "bot_left": f"The app was removed from the channel. {INVITE}.",
    "channel_is_limited_access": "Only some people may post in this channel. Ask a Slack admin.",
    "restricted_action": "The workspace does not let the app post there. Ask a Slack admin.",
    "restricted_action_read_only_channel": (
        f"Only admins may post in this channel. Ask a Slack admin, {CHOOSE}"
    ),
    "restricted_action_thread_only_channel": (
        f"Only replies are allowed in this channel. Ask a Slack admin, {CHOOSE}"
    ),
    "posting_to_channel_denied": f"The app may not post in this channel; {CHOOSE}",
    "missing_scope": "The app lacks a permission. An admin can re-authorize it under Connectors.",
    "no_permission": "The app lacks a permission. An admin can re-authorize it under Connectors.",
    "permission_denied": "A Slack admin has to let apps change user groups.",
    "plan_upgrade_required": "The workspace’s plan has no user groups.",
    "no_such_group": "Slack lists no user group with this handle.",
    "no_such_subteam": "Slack does not know this user group any more.",
    "invalid_users": "Slack does not take these people into a user group; guests cannot be in one.",
    "unlinked": "The workspace was unlinked first.",
    "timeout": "Slack did not answer in time.",
    "unreachable": "Slack could not be reached.",
    "not_json": "Slack answered with something unreadable.",
    "ratelimited": "Slack asked us to wait.",
    "message_limit_exceeded": "The workspace's plan allows no more messages for now.",
    "message_not_found": "Somebody deleted the message in Slack.",
    "edit_window_closed": "Slack does not let this message be edited any more.",
    "invalid_blocks": "Slack refused the form of the message; a plain one is sent instead.",
    "msg_too_long": "The message was too long for Slack; a shorter one is sent instead.",
    "msg_blocks_too_long": "The message was too long for Slack; a shorter one is sent instead.",
    "user_disabled": "The person is deactivated in Slack.",
    "user_not_found": "Slack does not know this person.",
    "messages_tab_disabled": "The Slack app does not allow direct messages: see its manifest.",
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
    "person_disconnected": "The person is not connected to that Slack user any more.",
    "person_left": "The person may not see alerts any more.",
    "interrupted": "An earlier attempt was interrupted.",
}


class SlackError(Exception):
    """A call that Slack did not carry out. `code` is Slack's, or ours: timeout, unreachable …

    `retry_after` is in seconds and only set where Slack asked to wait. `scopes` is what the answer
    said that the token may do. `each` says, where several people were named, what is wrong with whom.
    """

    def __init__(
        self,
        code: str,
        *,
        retry_after: int | None = None,
        scopes: Sequence[str] = (),
        each: object = None,
    ) -> None:
        super().__init__(code)
        self.code, self.retry_after, self.scopes, self.each = code, retry_after, scopes, each

    @property
    def meaning(self) -> Meaning:
        return MEANINGS.get(self.code, Meaning.TEMPORARY)

    @property
    def is_outage(self) -> bool:
        """Whether Slack as a whole does not answer, so that no other message would get through."""
        return self.code in CODES[Meaning.TEMPORARY] or self.code.startswith("http_5")

    @property
    def may_have_happened(self) -> bool:
        """Whether Slack may have carried the call out all the same."""
        if self.code in OUTCOME_UNKNOWN or self.code.startswith("http_5"):
            reason = getattr(self.__cause__, "reason", self.__cause__)
            return not isinstance(reason, ConnectionRefusedError | socket.gaierror)
        return False


def words(code: str) -> str:
    """A sentence for a person."""
    if code.startswith("http_5"):
        return f"Slack has trouble (HTTP {code.removeprefix('http_')})."
    return WORDS.get(code, f"Slack answered “{code}”.")
