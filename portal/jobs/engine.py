"""How does work happen later? Procrastinate, wrapped once; nothing else imports it.

`@job` makes a function a job, `wake()` has it run after the commit, `work()` runs jobs. A job only
says "look at this row": it may run late, early or twice, and the end must be the same. What must
not wait behind other jobs is a loop: loops.py.
"""

import asyncio
import contextlib
import json
import signal
import string
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Literal, NamedTuple

import procrastinate
import psycopg
import structlog
from flask import Flask
from procrastinate import exceptions, jobs, manager, worker
from sqlalchemy import text

from portal.db import db, now
from portal.jobs import loops

log = structlog.get_logger()


class NoTables(Exception):
    """The worker was started before the migrations; it tries again."""


class Jobs(manager.JobManager):
    """Retries a job, unless its successor already waits: both would do the same work."""

    async def retry_job(self, job: jobs.Job, *args: Any, **options: Any) -> None:
        try:
            await super().retry_job(job, *args, **options)
        except exceptions.UniqueViolation:
            await self.finish_job(job, jobs.Status.SUCCEEDED, delete_job=True)


class Backoff(procrastinate.BaseRetryStrategy):
    """1, 2, 4 … 300 seconds, for ever: a job that gave up would be a lost alert."""

    def get_retry_decision(
        self, *, exception: BaseException, job: jobs.Job
    ) -> procrastinate.RetryDecision:
        return procrastinate.RetryDecision(
            retry_in={"seconds": min(300, 2 ** min(job.attempts, 9))}
        )


class Bell(asyncio.Event):
    """Says that there may be a new job; a ring while the worker looks for jobs is not lost.

    Procrastinate clears its event after it has looked: what came meanwhile had to wait for a poll.
    """

    rings = heard = 0

    def set(self) -> None:
        self.rings += 1
        super().set()

    async def wait(self) -> Literal[True]:
        await super().wait()
        self.heard = self.rings
        return True

    def clear(self) -> None:
        if self.heard == self.rings:
            super().clear()
        self.heard = self.rings


class Worker(worker.Worker):
    """Procrastinate's worker, with a bell that this process rings when a job's time has come."""

    def __init__(self, *, queues: list[str], **options: Any) -> None:
        super().__init__(app=engine, queues=queues, **options)
        self.bell_of = queues
        self._new_job_event = Bell()

    async def run(self) -> None:
        bell = (asyncio.get_running_loop(), self._new_job_event)
        for queue in self.bell_of:
            bells.setdefault(queue, []).append(bell)
        try:
            await super().run()  # type: ignore[no-untyped-call]
        finally:
            for queue in self.bell_of:
                bells[queue].remove(bell)


OWN_THREADS = {"urgent": 4, "mail": 2}  # queue → threads that nothing else can take
LONGEST_TIMER, JUST_AFTER = 60.0, 0.002  # seconds
bells: dict[str, list[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = {}  # of this process

engine = procrastinate.App(connector=procrastinate.PsycopgConnector())
engine.job_manager = Jobs(engine.connector)


class Job:
    """A function that runs later: per key one at a time, and at most one waiting."""

    def __init__(self, run: Callable[..., None], key: str, queue: str) -> None:
        self.run, self.key, self.queue = run, key, queue
        self.ids = [name for _, name, _, _ in string.Formatter().parse(key) if name]
        name = key.partition(":")[0]  # survives a move of the function to another module
        self.task = engine.task(name=name, retry=Backoff(), queue=queue)(run)

    def __call__(self, **ids: int | str) -> None:
        self.run(**ids)


class Wake(NamedTuple):
    """A job to run after the commit, for these ids; at the latest at `at`, if that is later."""

    job: Job
    ids: dict[str, int | str]
    at: datetime | None = None

    @property
    def key(self) -> str:
        return self.job.key.format(**self.ids)


def job(key: str, *, queue: str = "default") -> Callable[[Callable[..., None]], Job]:
    """Queue `urgent`: a modal cannot wait for eight slow answers. Queue `mail`: nor can Slack wait
    for a mail server that does not answer."""
    return lambda run: Job(run, key, queue)


def wake(wanted: Job, *, at: datetime | None = None, **ids: int | str) -> None:
    """Run `wanted` once this transaction has committed; at the latest at `at`, if that is later.

    The job that already waits for the same ids is joined, and moved forward if need be. So a job
    may come too early: it then wakes itself again for the time that is on its row.
    """
    key = wanted.key.format(**ids)
    while not (_insert(wanted, key, at, ids) or _join(key, at)):
        pass  # the waiting job was started between the two statements
    if at is not None:
        _ring_at(wanted.queue, at)


# What Procrastinate's own defer does, in one statement: its AlreadyEnqueued needs a savepoint, and
# two more round trips, in each transaction that wakes something.
INSERT = text(
    "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args, scheduled_at)"
    " VALUES (:queue, :task, :key, :key, CAST(:args AS jsonb), :at)"
    " ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING RETURNING id"
)


def _insert(wanted: Job, key: str, at: datetime | None, ids: dict[str, int | str]) -> bool:
    values = {"queue": wanted.queue, "task": wanted.task.name, "key": key, "at": at}
    done = db.session.execute(INSERT, values | {"args": json.dumps(ids)})
    return done.first() is not None


def _ring_at(queue: str, at: datetime) -> None:
    """Have this process look for jobs at that moment, not only at its next poll."""
    seconds = (at - now()).total_seconds()
    for loop, bell in bells.get(queue, []):
        if seconds < LONGEST_TIMER:
            with contextlib.suppress(RuntimeError):  # the loop has just been closed
                loop.call_soon_threadsafe(loop.call_later, seconds + JUST_AFTER, bell.set)


WAITING = "procrastinate_jobs WHERE queueing_lock = :key AND status = 'todo'"
# What Procrastinate's trigger says of a new job, so that a worker looks at once.
NOTIFY = (
    "pg_notify('procrastinate_queue_v1#' || queue_name,"
    " json_build_object('type', 'job_inserted', 'job_id', id)::text)"
)
WHEN = "coalesce(CAST(:at AS timestamptz), now())"


def _join(key: str, at: datetime | None) -> bool:
    """Hold the waiting job until we commit, so that it cannot run without seeing our change."""
    values = {"key": key, "at": at}
    is_early = f"SELECT 1 FROM {WAITING} AND coalesce(scheduled_at <= {WHEN}, true) FOR SHARE"  # noqa: S608 - constants
    early = text(is_early)
    if db.session.execute(early, values).first():
        return True
    move = WAITING.replace("WHERE", "SET scheduled_at = :at WHERE")
    late = text(f"UPDATE {move} AND scheduled_at > {WHEN} RETURNING {NOTIFY}")
    return db.session.execute(late, values).first() is not None


def every(cron: str, *, name: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Run a function by the clock, on one worker at a time. Missed runs are not made up for."""

    def register(run: Callable[[], None]) -> Callable[[], None]:
        def on_time(timestamp: int) -> None:
            run()

        task = engine.task(name=name, lock=name, queueing_lock=name, queue="default")(on_time)
        engine.periodic(cron=cron)(task)
        return run

    return register


@engine.periodic(cron="* * * * * */5")
@engine.task(name="retry_stalled", queueing_lock="retry_stalled", queue="urgent")
async def retry_stalled(timestamp: int) -> None:
    """Take over the jobs of workers that were not heard of for a quarter of a minute."""
    for stalled in await engine.job_manager.get_stalled_jobs(seconds_since_heartbeat=15):
        with contextlib.suppress(exceptions.ConnectorException):  # it ended meanwhile
            await engine.job_manager.retry_job(stalled)


def work(app: Flask, *, threads: int = 8) -> None:
    """Run jobs until SIGTERM or SIGINT. A lost database only interrupts the work."""
    asyncio.run(_work(app, threads))


async def _work(app: Flask, threads: int) -> None:
    running_loop, stop = asyncio.get_running_loop(), asyncio.Event()
    size = threads + sum(OWN_THREADS.values()) + 2 + len(loops.LOOPS)
    running_loop.set_default_executor(ThreadPoolExecutor(size, "job"))
    for number in (signal.SIGINT, signal.SIGTERM):
        running_loop.add_signal_handler(number, stop.set)
    turning = [asyncio.create_task(loops.turn(app, wanted, stop)) for wanted in loops.LOOPS]
    stopping = asyncio.create_task(stop.wait())
    while not stop.is_set():
        running = asyncio.create_task(run_workers(app, threads=threads))
        jumped = asyncio.create_task(loops.clock_set_back())
        await asyncio.wait({running, stopping, jumped}, return_when=asyncio.FIRST_COMPLETED)
        jumped.cancel()
        running.cancel()  # graceful: Procrastinate waits for the jobs that run
        (problem,) = await asyncio.gather(running, return_exceptions=True)
        if not stop.is_set():
            log.warning("workers_restarted", problem=repr(problem))
            await asyncio.wait({stopping}, timeout=2)
    await asyncio.gather(*turning)


async def run_workers(app: Flask, *, threads: int, once: bool = False) -> None:
    def in_app_context(run: Callable[[], Any], context: Any, worker: Any) -> Any:
        with app.app_context():
            return run()

    async def serve(concurrency: int, *queues: str) -> None:
        await Worker(
            queues=list(queues),
            concurrency=concurrency,
            task_middleware=[in_app_context],
            install_signal_handlers=False,
            fetch_job_polling_interval=0.25,
            update_heartbeat_interval=3,
            delete_jobs="successful",
            wait=not once,
            listen_notify=not once,
        ).run()
        if not once:  # it returns, without an error, when its LISTEN connection is lost
            raise ConnectionError("the worker lost its database")

    with app.app_context():
        url = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    if not once:
        await _require_tables(url)
    with engine.replace_connector(
        procrastinate.PsycopgConnector(conninfo=url, timeout=5, max_size=8)
    ):
        async with engine.open_async(), asyncio.TaskGroup() as group:
            if once:
                group.create_task(serve(threads, "default", *OWN_THREADS))
                return
            group.create_task(serve(threads, "default"))
            for queue, concurrency in OWN_THREADS.items():
                group.create_task(serve(concurrency, queue))


async def _require_tables(url: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, connect_timeout=5) as connection:
        tables = await connection.execute("SELECT to_regclass('procrastinate_jobs')")
        if await tables.fetchone() == (None,):
            raise NoTables("The database has no tables yet: run tocsin db upgrade.")


def drain(app: Flask) -> None:
    """For tests: run what is due now, in this process, and what that wakes."""
    due = text(
        "SELECT 1 FROM procrastinate_jobs WHERE status = 'todo'"
        " AND (scheduled_at IS NULL OR scheduled_at <= now())"
    )
    while db.session.execute(due).first():
        db.session.rollback()
        asyncio.run(run_workers(app, threads=4, once=True))
