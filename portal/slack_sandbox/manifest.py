"""What does the app's manifest declare? What it does not name does not exist in the sandbox."""

from typing import Any


class Manifest:
    """Read-only view of a Slack app manifest; parts that are left out read as empty."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def _at(self, *path: str) -> Any:
        found: Any = self.document
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    @property
    def name(self) -> str:
        return str(self._at("display_information", "name") or "App")

    @property
    def description(self) -> str:
        return str(self._at("display_information", "description") or "")

    @property
    def bot_name(self) -> str:
        return str(self._at("features", "bot_user", "display_name") or self.name)

    @property
    def messages_tab_enabled(self) -> bool:
        return bool(self._at("features", "app_home", "messages_tab_enabled"))

    @property
    def messages_tab_read_only(self) -> bool:
        return bool(self._at("features", "app_home", "messages_tab_read_only_enabled"))

    @property
    def home_tab_enabled(self) -> bool:
        return bool(self._at("features", "app_home", "home_tab_enabled"))

    @property
    def commands(self) -> dict[str, dict[str, Any]]:
        """The slash commands by name, as declared: url, description, usage_hint, should_escape."""
        return {each["command"]: each for each in self._at("features", "slash_commands") or []}

    def shortcuts(self, kind: str) -> list[dict[str, Any]]:
        """The shortcuts of a kind: "global" or "message"."""
        return [each for each in self._at("features", "shortcuts") or [] if each["type"] == kind]

    @property
    def redirect_urls(self) -> list[str]:
        return list(self._at("oauth_config", "redirect_urls") or [])

    @property
    def bot_scopes(self) -> list[str]:
        return list(self._at("oauth_config", "scopes", "bot") or [])

    @property
    def optional_scopes(self) -> list[str]:
        return list(self._at("oauth_config", "scopes", "bot_optional") or [])

    @property
    def rotates_tokens(self) -> bool:
        return bool(self._at("settings", "token_rotation_enabled"))

    @property
    def interactions_url(self) -> str:
        return str(self._at("settings", "interactivity", "request_url") or "")

    @property
    def options_url(self) -> str:
        return str(self._at("settings", "interactivity", "message_menu_options_url") or "")

    @property
    def events_url(self) -> str:
        return str(self._at("settings", "event_subscriptions", "request_url") or "")

    @property
    def bot_events(self) -> list[str]:
        return list(self._at("settings", "event_subscriptions", "bot_events") or [])
