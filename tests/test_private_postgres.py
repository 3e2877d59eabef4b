"""Does the PostgreSQL of our own start, serve several, stop after the last and survive a crash?"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from portal import private_postgres

USER = """
import runpy, sys
from pathlib import Path
alone = runpy.run_path(sys.argv[2])  # without the rest of the portal, as its keeper runs it
print(alone["url"](Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


class Somebody:
    """A process that uses the PostgreSQL until it is ended."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(folder), private_postgres.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.url = self.process.stdout.readline().strip().replace("+psycopg", "")

    def kill(self) -> None:
        with self.process:  # closes its pipes
            self.process.kill()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path, since a socket will be in it, that PostgreSQL's user can reach."""
    above = Path(tempfile.mkdtemp(prefix="tocsin-"))
    above.chmod(0o711)
    yield above / "postgres"
    with suppress(private_postgres.CannotStart):
        private_postgres.stop(above / "postgres")
    shutil.rmtree(above)


@pytest.fixture
def somebody(folder: Path) -> Iterator[Callable[[], Somebody]]:
    people: list[Somebody] = []

    def make() -> Somebody:
        people.append(Somebody(folder))
        return people[-1]

    yield make
    for one in people:
        one.kill()


def ask(url: str, question: str = "SELECT 1") -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question.encode()).fetchone()
        return row[0] if row else None


def answers(url: str) -> bool:
    with suppress(psycopg.OperationalError):
        return ask(url) == 1
    return False


def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_it_starts_and_a_second_process_joins(somebody: Callable[[], Somebody]) -> None:
    first, second = somebody(), somebody()

    started = "SELECT pg_postmaster_start_time()"
    assert first.url == second.url
    assert ask(first.url, started) == ask(second.url, started)


def test_it_stops_only_after_its_last_user_was_killed(somebody: Callable[[], Somebody]) -> None:
    first, second = somebody(), somebody()

    first.kill()
    assert answers(second.url)
    second.kill()

    until(lambda: not answers(second.url))


def test_what_was_written_is_there_at_the_next_start(somebody: Callable[[], Somebody]) -> None:
    first = somebody()
    with psycopg.connect(first.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    first.kill()
    until(lambda: not answers(first.url))

    assert ask(somebody().url, "SELECT answer FROM kept") == 42


def test_who_comes_in_the_moment_in_which_it_stops_gets_one_that_stays(
    folder: Path, somebody: Callable[[], Somebody]
) -> None:
    first = somebody()
    cluster = private_postgres.Cluster(folder)
    with ThreadPoolExecutor(1) as beside:
        with cluster.locked():
            first.kill()
            until(lambda: _waiting_for(cluster) == 1)  # its keeper, which wants to stop it
            late = beside.submit(somebody)
            until(lambda: _waiting_for(cluster) == 2)
        url = late.result(60).url

    for _ in range(20):  # one that is just going would soon refuse
        assert answers(url)
        time.sleep(0.02)


def _waiting_for(cluster: private_postgres.Cluster) -> int:
    """How many processes wait for the cluster's lock; proc(5) marks each with an arrow."""
    lock = f":{(cluster.folder / 'lock').stat().st_ino} "
    lines = Path("/proc/locks").read_text().splitlines()
    return sum("->" in line and lock in line for line in lines)


def test_after_a_power_cut_it_is_recovered_at_the_next_start(
    folder: Path, somebody: Callable[[], Somebody]
) -> None:
    first = somebody()
    with psycopg.connect(first.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    postmaster = private_postgres.Cluster(folder).pid() or 0
    for pid in (_parent(postmaster), postmaster):  # its keeper too, as in a power cut
        os.kill(pid, signal.SIGKILL)
    until(lambda: not answers(first.url))
    first.kill()

    assert ask(somebody().url, "SELECT answer FROM kept") == 42


def test_one_that_has_only_begun_to_write_its_file_is_not_ready_yet(folder: Path) -> None:
    cluster = private_postgres.Cluster(folder)
    cluster.data.mkdir(parents=True)
    for written in ("", "12", f"{os.getpid()}\n"):
        (cluster.data / "postmaster.pid").write_text(written)
        assert cluster.pid() is None


def test_nobody_gets_in_without_its_password(somebody: Callable[[], Somebody]) -> None:
    url = somebody().url
    secret = url.split(":")[2].split("@")[0]

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(url.replace(secret, "guessed"))


def test_one_that_is_killed_is_started_again_and_has_lost_nothing(
    folder: Path, somebody: Callable[[], Somebody]
) -> None:
    url = somebody().url
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    for _ in range(2):
        killed = private_postgres.Cluster(folder).pid() or 0
        os.kill(killed, signal.SIGKILL)
        until(lambda gone=killed: private_postgres.Cluster(folder).pid() not in (None, gone))
        assert ask(url, "SELECT number FROM kept") == 7


def test_one_that_is_told_to_stop_stays_stopped(
    folder: Path, somebody: Callable[[], Somebody]
) -> None:
    url = somebody().url
    private_postgres.stop(folder)
    until(lambda: not private_postgres.Cluster(folder).is_kept())
    assert not answers(url)
