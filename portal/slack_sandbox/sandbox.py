"""How is a pretend Slack started, used and stopped?"""

import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from . import admin, event_sending, events, operations, seed, store
from .actor import Actor
from .faults import Fault, parse
from .journal import Delivery, Request, Violation
from .manifest import Manifest
from .platform import Credentials, Platform
from .server import Server

PAUSE_BEFORE_SAVING = 0.1  # changes come in bursts; one write each is enough
PAUSE_PER_SAVING = 30.0  # times what the last one took: a large state is written less often


class Sandbox(Actor):
    """A pretend Slack with one app: on a free port in a test, or for as long as the demo runs.

    `state_file` keeps workspaces, messages, installations and tokens over a restart. An unreadable
    one is put aside, said once on standard error, and the sandbox starts afresh.
    """

    def __init__(
        self,
        manifest: dict[str, Any],
        *,
        client_id: str = "1111.2222",
        client_secret: str = "pretend-client-secret",
        signing_secret: str = "pretend-signing-secret",
        app_id: str = "A0TOCSIN",
        host: str = "127.0.0.1",
        port: int = 0,
        state_file: Path | None = None,
    ) -> None:
        credentials = Credentials(client_id, client_secret, signing_secret, app_id)
        self.client_id, self.client_secret = client_id, client_secret
        self.signing_secret, self.app_id = signing_secret, app_id
        self._host, self._port, self._file = host, port, state_file
        self._server: Server | None = None
        self._saver: threading.Thread | None = None
        self._return: threading.Timer | None = None
        self.platform = Platform(credentials, Manifest(manifest), self._saved() or seed.default())
        self.platform.go_away = self.go_away
        self.platform.watchers.append(partial(events.message_posted, self.platform))
        self._events: threading.Thread | None = None

    def _saved(self) -> Any:
        try:
            return store.load(self._file) if self._file else None
        except store.UnreadableState as problem:
            print(problem, file=sys.stderr)
            return None

    def start(self) -> Self:
        self._server = Server(self.platform, self._host, self._port)
        self.platform.url = f"http://{self._host}:{self._server.port}"
        self._server.start()
        self._events = threading.Thread(
            target=event_sending.keep_sending,
            args=(self.platform,),
            name="slack-sandbox-events",
            daemon=True,
        )
        self._events.start()
        if self._file:
            self._saver = threading.Thread(
                target=self._keep_saving,
                args=(self._file,),
                name="slack-sandbox-saver",
                daemon=True,
            )
            self._saver.start()
        return self

    def go_away(self, seconds: float = 0.0) -> None:
        """Refuse connections, for some real seconds or until `come_back`."""
        if self._server is not None:
            self._server.stop()
            if seconds:
                self._return = threading.Timer(seconds, self.come_back)
                self._return.daemon = True
                self._return.start()

    def come_back(self) -> None:
        if self._server is not None:
            self._server.start()

    def stop(self) -> None:
        """Answer no more; what is hanging is let go, what is unsaved is saved."""
        self.platform.stopping.set()
        if self._return is not None:
            self._return.cancel()
            self._return.join()
        if self._server is not None:
            self._server.stop()
            self._server = None
        if self._events is not None:
            self.platform.events.wake()
            self._events.join()
            self._events = None
        if self._saver is not None:
            self.platform.changed.set()
            self._saver.join()
            self._saver = None
        if self._file:
            self._save(self._file)

    def serve_forever(self) -> None:
        """Start, and return when the process is told to stop (Ctrl+C)."""
        with self:
            try:
                self.platform.stopping.wait()
            except KeyboardInterrupt:
                return

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _keep_saving(self, file: Path) -> None:
        pause = PAUSE_BEFORE_SAVING
        while not self.platform.stopping.is_set():
            self.platform.changed.wait()
            self.platform.stopping.wait(pause)
            self.platform.changed.clear()
            begun = time.monotonic()
            self._save(file)
            pause = max(PAUSE_BEFORE_SAVING, PAUSE_PER_SAVING * (time.monotonic() - begun))

    def _save(self, file: Path) -> None:
        store.save(file, store.encode(self.platform.reading))

    @property
    def url(self) -> str:
        return self.platform.url

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    @property
    def authorize_url(self) -> str:
        return f"{self.url}/oauth/v2/authorize"

    @property
    def response_host(self) -> str:
        return self.url.removeprefix("http://")

    def set_manifest(self, manifest: dict[str, Any]) -> None:
        self.platform.manifest = Manifest(manifest)

    def reset(self) -> dict[str, Any]:
        return operations.seed(self.platform)

    def add_fault(self, **rule: Any) -> Fault:
        """A rule as in `faults.Fault`: add_fault(effect="error", method="chat.*", error="…")."""
        return self.platform.faults.add(parse(rule))

    def clear_faults(self) -> None:
        self.platform.faults.clear()

    def admin(self, operation: str, **arguments: Any) -> Any:
        """One of `admin.OPERATIONS`: admin("archive", channel="C0OPS")."""
        return admin.OPERATIONS[operation](self.platform, **arguments)

    # What follows does in this process what the control API does over HTTP: see `operations`.

    @property
    def seed(self) -> Callable[..., dict[str, Any]]:
        return partial(operations.seed, self.platform)

    @property
    def state(self) -> Callable[..., dict[str, Any]]:
        return partial(operations.state, self.platform)

    @property
    def messages(self) -> Callable[..., list[dict[str, Any]]]:
        return partial(operations.messages, self.platform)

    @property
    def ephemerals(self) -> Callable[..., list[dict[str, Any]]]:
        return partial(operations.ephemerals, self.platform)

    @property
    def wait_for_message(self) -> Callable[..., dict[str, Any]]:
        return partial(operations.wait_for_message, self.platform)

    @property
    def install(self) -> Callable[..., dict[str, Any]]:
        return partial(operations.install, self.platform)

    @property
    def consent(self) -> Callable[..., str]:
        return partial(operations.consent, self.platform)

    @property
    def click(self) -> Callable[..., Delivery]:
        return partial(operations.click, self.platform)

    @property
    def select(self) -> Callable[..., Delivery]:
        return partial(operations.select, self.platform)

    @property
    def deliver(self) -> Callable[..., Delivery]:
        return partial(operations.deliver, self.platform)

    @property
    def send_event(self) -> Callable[..., list[Delivery]]:
        return partial(event_sending.send_event, self.platform)

    @property
    def hold_events(self) -> Callable[..., None]:
        return partial(event_sending.hold, self.platform)

    @property
    def release_events(self) -> Callable[..., list[Delivery]]:
        return partial(event_sending.release, self.platform)

    @property
    def verify_events_url(self) -> Callable[..., Delivery]:
        return partial(event_sending.verify_url, self.platform)

    @property
    def requests(self) -> Callable[..., list[Request]]:
        return partial(operations.requests, self.platform)

    @property
    def deliveries(self) -> Callable[..., list[Delivery]]:
        return partial(operations.deliveries, self.platform)

    @property
    def violations(self) -> Callable[..., list[Violation]]:
        return partial(operations.violations, self.platform)

    @property
    def clock(self) -> Callable[..., dict[str, object]]:
        return partial(operations.clock, self.platform)
