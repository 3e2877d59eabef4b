"""Which methods are there, with which scope, tier and arguments? One row each."""

from ..rate_limits import GENEROUS
from . import auth, chat, conversations, history, oauth, people, views
from .managing import MANAGING
from .method import ANYTHING, NO_TIER, PAGE, TIER_1, TIER_2, TIER_3, TIER_4, Method

CONTENT = "text blocks attachments metadata markdown_text thread_ts parse link_names mrkdwn"
CLIENT = "client_id client_secret"

METHODS: dict[str, Method] = {
    "api.test": Method(auth.api_test, TIER_4, taken=ANYTHING, takes_json=True, takes_token=False),
    "auth.test": Method(auth.auth_test, GENEROUS, takes_json=True),
    "auth.revoke": Method(auth.auth_revoke, TIER_3, taken="test"),
    "apps.uninstall": Method(auth.apps_uninstall, TIER_1, taken=CLIENT),
    "oauth.v2.access": Method(
        oauth.access,
        GENEROUS,
        taken=f"{CLIENT} code redirect_uri grant_type refresh_token code_verifier",
        takes_token=False,
    ),
    "oauth.v2.exchange": Method(oauth.exchange, TIER_3, taken=CLIENT, takes_token=False),
    "chat.postMessage": Method(
        chat.post_message,
        NO_TIER,
        "chat:write",
        needed="channel",
        taken=f"{CONTENT} reply_broadcast unfurl_links unfurl_media username icon_emoji icon_url as_user",
        takes_json=True,
    ),
    "chat.postEphemeral": Method(
        chat.post_ephemeral,
        TIER_4,
        "chat:write",
        needed="channel user",
        taken=f"{CONTENT} username icon_emoji icon_url as_user",
        takes_json=True,
    ),
    "chat.update": Method(
        chat.update,
        TIER_3,
        "chat:write",
        needed="channel ts",
        taken=f"{CONTENT} reply_broadcast file_ids as_user unfurl_links unfurl_media",
        takes_json=True,
    ),
    "chat.delete": Method(
        chat.delete, TIER_3, "chat:write", needed="channel ts", taken="as_user", takes_json=True
    ),
    "chat.getPermalink": Method(chat.get_permalink, GENEROUS, needed="channel message_ts"),
    "conversations.list": Method(
        conversations.list_, TIER_2, taken=f"{PAGE} types exclude_archived"
    ),
    "conversations.info": Method(
        conversations.info, TIER_3, needed="channel", taken="include_num_members include_locale"
    ),
    "conversations.join": Method(
        conversations.join, TIER_3, "channels:join", needed="channel", takes_json=True
    ),
    "conversations.members": Method(conversations.members, TIER_4, needed="channel", taken=PAGE),
    "conversations.history": Method(
        history.history,
        TIER_3,
        needed="channel",
        taken=f"{PAGE} oldest latest inclusive include_all_metadata",
    ),
    "conversations.replies": Method(
        history.replies,
        TIER_3,
        needed="channel ts",
        taken=f"{PAGE} oldest latest inclusive include_all_metadata",
    ),
    "users.info": Method(people.info, TIER_4, "users:read", needed="user", taken="include_locale"),
    "users.lookupByEmail": Method(
        people.lookup_by_email, TIER_3, "users:read.email", needed="email"
    ),
    "users.list": Method(people.list_, TIER_2, "users:read", taken=f"{PAGE} include_locale"),
    "bots.info": Method(people.bots_info, TIER_3, "users:read", taken="bot"),
    "views.open": Method(views.open_, TIER_4, needed="trigger_id view", takes_json=True),
    "views.push": Method(views.push, TIER_4, needed="trigger_id view", takes_json=True),
    "views.update": Method(
        views.update, TIER_4, needed="view", taken="view_id external_id hash", takes_json=True
    ),
    "views.publish": Method(
        views.publish, TIER_4, needed="user_id view", taken="hash", takes_json=True
    ),
    "team.info": Method(people.team_info, TIER_3, "team:read", taken="team domain"),
    **MANAGING,
}
