"""How do several `tocsin` commands run and end as one? For the demo."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, NoReturn

PATIENCE = 120  # seconds until everything must be running
GRACE = 15  # seconds to end by itself, for a child


class CannotRun(Exception):
    """It cannot start or go on; the message says why, and what to do."""


class Stopped(Exception):
    """Somebody pressed Ctrl-C, closed the terminal, or asked the process to end."""


class Child(NamedTuple):
    name: str
    process: subprocess.Popen[bytes]
    log: Path


def require_free(port: int, option: str) -> None:
    """Raises CannotRun, naming the option that chooses another port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as problem:
            reason = getattr(problem, "strerror", None) or "ports are numbers from 1 to 65535"
            raise CannotRun(
                f"Port {port} cannot be used ({reason}). Stop what uses it, or choose another one,"
                f" for instance: make demo ARGS='{option} {port % 65000 + 10}'"
            ) from None


def start(logs: Path, name: str, *arguments: str) -> Child:
    """Run `tocsin NAME …` with a log of its own."""
    logs.mkdir(exist_ok=True)
    log = logs / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-m", "portal.cli", name, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C reaches us alone, and we end them in order
        )
    return Child(name, process, log)


def wait_for(url: str, children: list[Child]) -> None:
    """Until it answers with success. Raises CannotRun when a child ends or nothing happens."""
    until = time.monotonic() + PATIENCE
    while not _answers(url):
        _require_alive(children)
        if time.monotonic() > until:
            logs = children[0].log.parent
            raise CannotRun(f"{url} is not ready after {PATIENCE} seconds; see {logs}")
        time.sleep(0.2)


def watch(children: list[Child], look_after: Callable[[], None]) -> NoReturn:
    """Until one ends: then raises CannotRun with what it said last. Meanwhile looks after the rest
    every half second."""
    while True:
        _require_alive(children)
        look_after()
        time.sleep(0.5)


def end(children: list[Child]) -> None:
    """Ask all to end, and make those that do not."""
    for child in children:
        child.process.terminate()
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(GRACE)
        with suppress(ProcessLookupError):  # also what a killed child has left behind
            os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()


def stop_on_signals() -> None:
    """From now on a wish to end becomes the exception Stopped; further wishes are ignored."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(number: int, frame: object) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)  # once is enough, while we tidy up
        raise Stopped

    for number in numbers:
        signal.signal(number, stop)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - an address of our own
            return True
    except (urllib.error.URLError, OSError):
        return False


def _require_alive(children: list[Child]) -> None:
    for child in children:
        if child.process.poll() is not None:
            last = "\n".join(child.log.read_text(errors="replace").splitlines()[-15:])
            raise CannotRun(
                f"`tocsin {child.name}` has ended, so the demo ends too."
                f" The last lines of {child.log}:\n\n{last}"
            )
