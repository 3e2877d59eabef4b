"""What does Slack have to know about our app? The manifest of this installation."""

from typing import Any

from portal.slack import commands, events, scopes, shortcuts

SCHEMA = {"major_version": 2, "minor_version": 1}
COMMANDS = {
    commands.MENU: ("Choose the alert sources posted to this channel", "[alert | oncall | help]"),
    commands.ALERT: ("Create an alert", "[summary] | help"),
    commands.ONCALL: ("Who is on call?", "[policy or source] or help"),
}
SHORTCUTS = (
    ("message", shortcuts.CREATE_FROM_MESSAGE, "Create an alert from this message"),
    ("global", shortcuts.CREATE, "Create a new alert"),
)


def build(public_url: str) -> dict[str, Any]:
    """The app manifest for a portal reached at `public_url`, for Slack's "From a manifest".

    https://docs.slack.dev/reference/app-manifest. It names only what this version handles.
    """
    return {
        "_metadata": SCHEMA,
        "display_information": {
            "name": "Tocsin",
            "description": "Alerts and acknowledgement in Slack",
            "long_description": (
                "Connects your self-hosted Tocsin installation with this Slack workspace. Alerts are"
                " posted to the channels you choose, with buttons to acknowledge and resolve them."
                " Whoever presses a button acts with the permissions of their account in Tocsin."
                " Replies in the thread of an alert become comments on it."
            ),
            "background_color": "#1f2937",
        },
        "features": {
            "app_home": {  # without the messages tab nobody can be sent a direct message
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": "Tocsin", "always_online": True},
            "shortcuts": [
                {
                    "name": "Create alert",
                    "type": kind,
                    "callback_id": callback_id,
                    "description": description,
                }
                for kind, callback_id, description in SHORTCUTS
            ],
            "slash_commands": [
                {
                    "command": command,
                    "description": description,
                    "usage_hint": hint,
                    "url": f"{public_url}/slack/commands",
                    "should_escape": True,
                }
                for command, (description, hint) in COMMANDS.items()
            ],
        },
        "oauth_config": {
            "redirect_urls": [f"{public_url}/settings/connectors/slack/callback"],
            "scopes": {"bot": list(scopes.ALL), "bot_optional": list(scopes.OPTIONAL)},
        },
        "settings": {
            "event_subscriptions": {
                "request_url": f"{public_url}/slack/events",
                "bot_events": list(events.SUBSCRIBED),
            },
            "interactivity": {
                "is_enabled": True,
                "request_url": f"{public_url}/slack/interactions",
                "message_menu_options_url": f"{public_url}/slack/options",
            },
            "org_deploy_enabled": False,
            "socket_mode_enabled": False,
            "token_rotation_enabled": False,  # irreversible at Slack
        },
    }
