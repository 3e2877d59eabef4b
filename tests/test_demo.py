"""Does the demo start from nothing, work, end with all it started, and go on where it was?"""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from portal import private_postgres

ROOT = Path(__file__).parent.parent
PATIENCE = 60  # seconds; it starts four programs and makes a database


class Demo:
    """The real command, in a home of its own and on free ports, as somebody at a terminal sees it."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.home, self.said = home, ""
        self.port, self.sandbox_port = _free_port(), _free_port()
        ports = ["--port", str(self.port), "--sandbox-port", str(self.sandbox_port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "portal.cli", "demo", *ports, *arguments],
            env={**os.environ, "TOCSIN_HOME": str(home), "PYTHONUNBUFFERED": "1"},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def read_until(self, words: str) -> None:
        """Raises when the demo ends before it says these words."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.said += line
            if words in line:
                return
        raise AssertionError(f"it ended without saying “{words}”, but: {self.said}")

    def send_printed_alert(self) -> str:
        """Do what somebody does who pastes the printed line; returns the body that was accepted."""
        (line,) = re.findall(r"^curl .*$", self.said, re.MULTILINE)
        words = shlex.split(line)
        header, body, url = words[words.index("-H") + 1], words[words.index("-d") + 1], words[-1]
        name, _, value = header.partition(": ")
        request = urllib.request.Request(url, data=body.encode(), headers={name: value})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 202
            return body

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        with self.process:
            assert self.process.stdout
            self.said += self.process.stdout.read()
            return self.process.wait(PATIENCE)

    def children(self) -> set[int]:
        folder = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return {int(number) for number in folder.read_text().split()}


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="tocsin-"))
    folder.chmod(0o711)
    yield folder
    database = private_postgres.Cluster(folder / "postgres")
    _until(lambda: not (database.data / "postmaster.pid").exists())  # it ends with its last user
    shutil.rmtree(folder)


@pytest.fixture
def demo(home: Path) -> Iterator[Demo]:
    running = Demo(home)
    yield running
    if running.process.poll() is None:
        running.end(signal.SIGTERM)


def test_the_demo_outlives_its_database_ends_completely_and_goes_on_until_a_child_dies(
    home: Path, demo: Demo
) -> None:
    demo.read_until("Ctrl-C")
    children = demo.children()
    first_body = demo.send_printed_alert()
    database = private_postgres.Cluster(home / "postgres")
    os.kill(database.pid() or 0, signal.SIGKILL)
    demo.read_until("was started again")
    _until(lambda: _is_accepted(demo))

    assert len(children) == 3
    assert demo.children() == children
    assert demo.end(signal.SIGINT) == 0
    assert not any(_is_alive(pid) for pid in children)
    assert "Traceback" not in demo.said

    again = Demo(home)
    try:
        again.read_until("Ctrl-C")
        children = again.children()
        assert again.send_printed_alert() == first_body  # the same key, and so the same database
        assert _password(again) == _password(demo)
        worker = next(pid for pid in children if b"worker" in _command_line(pid))
        os.kill(worker, signal.SIGKILL)
    except BaseException:
        again.end(signal.SIGTERM)
        raise
    with again.process:
        assert again.process.stdout
        said = again.process.stdout.read()
        assert again.process.wait(PATIENCE) == 1
    assert "`tocsin worker` has ended" in said
    assert not any(_is_alive(pid) for pid in children)


def test_fresh_begins_anew_and_leaves_alone_what_is_not_the_demos(home: Path) -> None:
    (home / "notes.txt").write_text("mine")
    (home / "demo.json").write_text('{"password": "of-an-earlier-time"}')
    private_postgres.url(home / "postgres", durable=False)  # and it runs

    fresh = Demo(home, "--fresh")
    try:
        fresh.read_until("Ctrl-C")
        fresh.send_printed_alert()
    finally:
        assert fresh.end(signal.SIGTERM) == 0
    assert _password(fresh) != "of-an-earlier-time"
    assert (home / "notes.txt").read_text() == "mine"
    assert (home / "demo.json").stat().st_mode & 0o777 == 0o600


def test_a_busy_port_is_named_with_the_option_that_chooses_another(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = subprocess.run(
            [sys.executable, "-m", "portal.cli", "demo", "--port", port],
            env={**os.environ, "TOCSIN_HOME": str(home)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Port {port} cannot be used (Address already in use).")
    assert "--port" in refused.stderr


def test_one_port_for_two_servers_is_refused_before_anything_starts(home: Path) -> None:
    port = str(_free_port())
    refused = subprocess.run(
        [sys.executable, "-m", "portal.cli", "demo", "--port", port, "--sandbox-port", port],
        env={**os.environ, "TOCSIN_HOME": str(home)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert refused.returncode == 1
    said = f"--port and --sandbox-port are both {port}: please choose two ports.\n"
    assert refused.stderr == said


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_accepted(demo: Demo) -> bool:
    """A 503 asks to send it again: the database is not back, or a connection is of before."""
    with suppress(urllib.error.HTTPError):
        return bool(demo.send_printed_alert())
    return False


def _password(demo: Demo) -> str:
    (password,) = re.findall(r"Password for all +(\S+)", demo.said)
    return str(password)


def _command_line(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def _is_alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
