"""What can `Sandbox` do in a person's place? One attribute for each function of `acting`."""

from collections.abc import Callable
from functools import partial
from typing import Any

from . import acting
from .journal import Delivery
from .platform import Platform


class Actor:
    """The part of a Sandbox that acts as people do; arguments as in `acting`."""

    platform: Platform

    @property
    def command(self) -> Callable[..., Delivery]:
        return partial(acting.command, self.platform)

    @property
    def say(self) -> Callable[..., dict[str, Any]]:
        return partial(acting.say, self.platform)

    @property
    def reply(self) -> Callable[..., dict[str, Any]]:
        return partial(acting.reply, self.platform)

    @property
    def choose(self) -> Callable[..., Delivery]:
        return partial(acting.choose, self.platform)

    @property
    def suggest(self) -> Callable[..., list[dict[str, Any]]]:
        return partial(acting.suggest, self.platform)

    @property
    def shortcut(self) -> Callable[..., Delivery]:
        return partial(acting.shortcut, self.platform)

    @property
    def message_shortcut(self) -> Callable[..., Delivery]:
        return partial(acting.message_shortcut, self.platform)

    @property
    def open_view_of(self) -> Callable[..., dict[str, Any] | None]:
        return partial(acting.open_view_of, self.platform)

    @property
    def wait_for_view(self) -> Callable[..., dict[str, Any]]:
        return partial(acting.wait_for_view, self.platform)

    @property
    def fill_view(self) -> Callable[..., dict[str, Any] | None]:
        return partial(acting.fill_view, self.platform)

    @property
    def act_in_view(self) -> Callable[..., Delivery]:
        return partial(acting.act_in_view, self.platform)

    @property
    def submit_view(self) -> Callable[..., Delivery]:
        return partial(acting.submit_view, self.platform)

    @property
    def close_view(self) -> Callable[..., list[Delivery]]:
        return partial(acting.close_view, self.platform)

    @property
    def home_of(self) -> Callable[..., dict[str, Any] | None]:
        return partial(acting.home_of, self.platform)

    @property
    def open_home(self) -> Callable[..., None]:
        return partial(acting.open_home, self.platform)
