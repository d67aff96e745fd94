"""Who may write an application's line: one lease, renewed while its holder lives.

Each taking raises the fencing number by one, and each commit checks it, so a holder that was
stopped, replaced and woken up again cannot write (Kleppmann, "How to do distributed locking",
2016). The clocks of several machines decide only how early a lease is taken over, never what is
written.
"""

import datetime as dt
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil
from sqlalchemy import Connection, Engine, Row, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from tasks.ledger.backup import back_up
from tasks.ledger.schema import leases

logger = logging.getLogger(__name__)

# A process's start time is reckoned from the machine's boot time, which may be corrected later.
CLOCK_SECONDS = 2.0


@dataclass(frozen=True)
class Lease:
    """The right to write one application's line, as long as the fencing number is the newest."""

    application: str
    owner: str
    fencing: int


class LeaseHeldError(RuntimeError):
    """Someone else is at work on this application."""


class LostLineError(RuntimeError):
    """The line went on without us: nothing was written."""


@contextmanager
def hold(engine: Engine, application: str, ttl: float, owner: str) -> Iterator[Lease]:
    """Take the lease, renew it every third of `ttl` seconds, give it back, back up.

    See `Ledger.lease`.
    """
    lease = _take(engine, application, dt.timedelta(seconds=ttl), owner)
    stop = threading.Event()
    renewing = threading.Thread(
        target=_renew, args=(engine, lease, ttl, stop), name=f"lease-{application}", daemon=True
    )
    renewing.start()
    try:
        yield lease
    finally:
        stop.set()
        renewing.join()
        _release(engine, lease)
        back_up(engine)


def check(connection: Connection, lease: Lease) -> None:
    """Lock the lease until this transaction ends; raises LostLineError if it is no longer ours."""
    mine = select(leases).where(leases.c.application == lease.application).with_for_update()
    row = connection.execute(mine).one_or_none()
    if row is None or row.owner is None or row.fencing != lease.fencing:
        raise LostLineError(
            f"{lease.owner} has lost the lease of '{lease.application}' (number {lease.fencing}; "
            f"now {row and row.fencing}, held by {(row and row.owner) or 'nobody'}); nothing was "
            "written. Run again: what is learned is skipped"
        )


def _take(engine: Engine, application: str, ttl: dt.timedelta, owner: str) -> Lease:
    mine = leases.c.application == application
    _make_row(engine, application)
    with engine.begin() as connection:
        row = connection.execute(select(leases).where(mine).with_for_update()).one()
        now = dt.datetime.now(dt.UTC)
        if row.owner is not None:
            if row.expires_at > now and not _is_dead(row):
                raise _held(row)
            logger.warning("taking over '%s' from %s, which is gone", application, row.owner)
        lease = Lease(application, owner, row.fencing + 1)
        connection.execute(
            update(leases)
            .where(mine)
            .values(
                fencing=lease.fencing,
                owner=lease.owner,
                host=socket.gethostname(),
                pid=os.getpid(),
                pid_started=psutil.Process().create_time(),
                taken_at=now,
                expires_at=now + ttl,
            )
        )
    return lease


def _make_row(engine: Engine, application: str) -> None:
    with engine.execution_options(reads=True).connect() as connection:
        if connection.execute(_row_of(application)).first() is not None:
            return
    try:
        with engine.begin() as connection:
            connection.execute(insert(leases).values(application=application, fencing=0))
    except IntegrityError:
        logger.debug("another process made the lease's row first")


def _row_of(application: str) -> Any:
    return select(leases.c.fencing).where(leases.c.application == application)


def _is_dead(row: Row[Any]) -> bool:
    """Whether the holder ran here and does no more; of other machines we know nothing."""
    if row.host != socket.gethostname():
        return False
    try:
        process = psutil.Process(row.pid)
        if process.status() == psutil.STATUS_ZOMBIE:  # killed, and not yet waited for
            return True
        apart = abs(process.create_time() - float(row.pid_started))
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False
    return apart > CLOCK_SECONDS  # the same number, another process


def _held(row: Row[Any]) -> LeaseHeldError:
    return LeaseHeldError(
        f"'{row.application}' is held by {row.owner} (process {row.pid} on {row.host}) "
        f"since {row.taken_at:%Y-%m-%d %H:%M:%S} UTC. Wait for it, or stop it: a dead holder on "
        f"the same machine is replaced at once, any other after {row.expires_at:%H:%M:%S} UTC"
    )


def _renew(engine: Engine, lease: Lease, ttl: float, stop: threading.Event) -> None:
    while not stop.wait(ttl / 3):
        try:
            if not _set(engine, lease, expires_at=_after(ttl)):
                logger.error("the lease of '%s' was taken over", lease.application)
                return
        except SQLAlchemyError as problem:
            logger.warning("cannot renew the lease of '%s': %s", lease.application, problem)


def _after(seconds: float) -> dt.datetime:
    return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)


def _release(engine: Engine, lease: Lease) -> None:
    try:
        _set(engine, lease, owner=None, expires_at=None)
    except SQLAlchemyError as problem:  # it expires by itself; the caller's own error matters more
        logger.warning("cannot give back the lease of '%s': %s", lease.application, problem)


def _set(engine: Engine, lease: Lease, **values: Any) -> bool:
    """Change the lease if it is still ours; says whether it was."""
    ours = (leases.c.application == lease.application) & (leases.c.fencing == lease.fencing)
    with engine.begin() as connection:
        return connection.execute(update(leases).where(ours).values(**values)).rowcount == 1
