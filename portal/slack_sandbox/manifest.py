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
    def events_url(self) -> str:
        return str(self._at("settings", "event_subscriptions", "request_url") or "")

    @property
    def bot_events(self) -> list[str]:
        return list(self._at("settings", "event_subscriptions", "bot_events") or [])
