"""One holder at a time: the dead are replaced at once, and the replaced cannot write."""

import datetime as dt
import logging
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

import psutil
import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import OperationalError

from tasks.ledger import Lease, LeaseHeldError, Ledger, LostLineError
from tasks.ledger import lease as leasing
from tasks.ledger.schema import leases
from tests.tasks.ledger import shop
from tests.tasks.ledger.shop import APPLICATION, FIRST, SECOND, date

fork = multiprocessing.get_context("fork")


def _in_child(work: Callable[[Connection], None]) -> tuple[multiprocessing.Process, Connection]:
    here, there = fork.Pipe()
    child = fork.Process(target=work, args=(there,))
    child.start()
    return child, here  # type: ignore[return-value]


def _hold_until_told(url: str) -> Callable[[Connection], None]:
    def work(pipe: Connection) -> None:
        with Ledger(url).lease(APPLICATION, owner="the child"):
            pipe.send("held")
            pipe.recv()

    return work


def _make_it(engine: Engine, **values: object) -> None:
    with engine.begin() as connection:
        connection.execute(update(leases).values(**values))


def _expires_at(ledger: Ledger) -> dt.datetime:
    with ledger.engine.begin() as connection:
        found: dt.datetime = connection.execute(select(leases.c.expires_at)).scalar_one()
    return found


def test_a_second_taker_is_told_who_holds_it_and_since_when(ledger: Ledger) -> None:
    said = rf"'recommendation' is held by the night run \(process {os.getpid()} on .*since 20\d\d-"
    with ledger.lease(APPLICATION, owner="the night run"):
        with pytest.raises(LeaseHeldError, match=said):
            ledger.lease(APPLICATION).__enter__()
        with ledger.lease("pricing"):
            pass


def test_each_taking_has_a_higher_number(ledger: Ledger) -> None:
    numbers = []
    for _ in range(3):
        with ledger.lease(APPLICATION) as lease:
            numbers.append(lease.fencing)
    assert numbers == [1, 2, 3]


def test_it_is_given_back_when_the_work_fails(ledger: Ledger) -> None:
    with pytest.raises(ZeroDivisionError), ledger.lease(APPLICATION):
        raise ZeroDivisionError
    with ledger.lease(APPLICATION) as lease:
        assert lease.fencing == 2


def test_who_gave_it_back_cannot_write(ledger: Ledger) -> None:
    with ledger.lease(APPLICATION) as lease:
        pass
    with pytest.raises(LostLineError, match="held by nobody"):
        shop.start(ledger, lease)
    assert ledger.line(APPLICATION) is None


def test_a_lease_that_was_never_taken_cannot_write(ledger: Ledger) -> None:
    with pytest.raises(LostLineError):
        shop.start(ledger, Lease(APPLICATION, "made up", 1))


@pytest.mark.fault(21)
def test_a_zombie_with_an_old_number_is_refused_in_every_way(url: str) -> None:
    zombie, heir = Ledger(url), Ledger(url)
    with zombie.lease(APPLICATION, owner="the zombie") as old:
        shop.start(zombie, old)
        _make_it(zombie.engine, expires_at=dt.datetime.now(dt.UTC))  # it was stopped too long
        with heir.lease(APPLICATION, owner="the heir") as new:
            before = heir.contents()
            writes: list[Callable[[], object]] = [
                lambda: shop.promote(zombie, old, SECOND, FIRST, 3),
                lambda: zombie.quarantine(old, date(3), "content 3", "bad"),
                lambda: zombie.rewind(
                    old,
                    FIRST,
                    shop.version(FIRST, None, 2),
                    [],
                    shop.champion(FIRST, 2, "roll_back"),
                ),
            ]
            for write in writes:
                with pytest.raises(LostLineError, match=r"the zombie has lost.*the heir"):
                    write()
            assert heir.contents() == before
            shop.promote(heir, new, SECOND, FIRST, 3)


@pytest.mark.fault(21)
def test_a_zombie_does_not_give_back_what_is_no_longer_its_own(ledger: Ledger) -> None:
    with ledger.lease(APPLICATION):
        _make_it(ledger.engine, expires_at=dt.datetime.now(dt.UTC))
        heir = ledger.lease(APPLICATION, owner="the heir")
        heir.__enter__()
    with pytest.raises(LeaseHeldError, match="held by the heir"):
        ledger.lease(APPLICATION).__enter__()
    heir.__exit__(None, None, None)


@pytest.mark.fault(22)
def test_a_killed_holder_is_replaced_at_once_and_a_living_one_never(url: str) -> None:
    ledger = Ledger(url)
    child, pipe = _in_child(_hold_until_told(url))
    assert pipe.recv() == "held"
    with pytest.raises(LeaseHeldError, match="the child"):
        ledger.lease(APPLICATION).__enter__()
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)  # and not waited for: a zombie process is dead too
    began = time.monotonic()
    _wait_until(lambda: psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE)
    with ledger.lease(APPLICATION) as lease:
        assert lease.fencing == 2
    assert time.monotonic() - began < 2
    child.join()


@pytest.mark.fault(22)
def test_a_holder_that_was_waited_for_is_dead(url: str) -> None:
    child, pipe = _in_child(_hold_until_told(url))
    assert pipe.recv() == "held"
    child.kill()
    child.join()
    with Ledger(url).lease(APPLICATION) as lease:
        assert lease.fencing == 2


@pytest.mark.fault(22)
def test_another_process_under_the_same_number_is_not_the_holder(ledger: Ledger) -> None:
    with ledger.lease(APPLICATION):
        _make_it(ledger.engine, pid_started=psutil.Process().create_time() - 60)
        with ledger.lease(APPLICATION) as lease:
            assert lease.fencing == 2


def test_of_another_machine_only_the_clock_is_believed(ledger: Ledger) -> None:
    with ledger.lease(APPLICATION):
        _make_it(ledger.engine, host=f"not {socket.gethostname()}", pid=2**22 + 1)
        with pytest.raises(LeaseHeldError, match="on not "):
            ledger.lease(APPLICATION).__enter__()
        _make_it(ledger.engine, expires_at=dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1))
        with ledger.lease(APPLICATION) as lease:
            assert lease.fencing == 2


def test_a_living_holder_renews(ledger: Ledger) -> None:
    with ledger.lease(APPLICATION, ttl=0.3):
        first = _expires_at(ledger)
        _wait_until(lambda: _expires_at(ledger) > first + dt.timedelta(seconds=0.3))
        with pytest.raises(LeaseHeldError):
            ledger.lease(APPLICATION).__enter__()


def test_a_renewal_that_fails_is_tried_again(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real, calls = leasing._set, []

    def flaky(engine: Engine, lease: Lease, **values: object) -> bool:
        calls.append(values)
        if len(calls) == 1:
            raise OperationalError("UPDATE leases", {}, Exception("no route to host"))
        return real(engine, lease, **values)

    monkeypatch.setattr(leasing, "_set", flaky)
    with ledger.lease(APPLICATION, ttl=0.15):
        _wait_until(lambda: len(calls) >= 2)
    assert "cannot renew the lease of 'recommendation'" in caplog.text


def test_a_lost_lease_is_reported_once(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), ledger.lease(APPLICATION, ttl=0.06):
        _make_it(ledger.engine, fencing=9)
        _wait_until(lambda: "was taken over" in caplog.text)
    assert caplog.text.count("was taken over") == 1


def test_what_cannot_be_given_back_does_not_hide_the_error(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def dead(engine: Engine, lease: Lease, **values: object) -> bool:
        raise OperationalError("UPDATE leases", {}, Exception("no route to host"))

    with pytest.raises(ZeroDivisionError), ledger.lease(APPLICATION):
        monkeypatch.setattr(leasing, "_set", dead)
        raise ZeroDivisionError
    assert "cannot give back the lease" in caplog.text


@pytest.mark.fault(20)
def test_of_eight_that_race_exactly_one_learns_the_day(url: str) -> None:
    """From an empty database: the tables, the lease, the first version and the day."""

    def race(pipe: Connection) -> None:
        pipe.recv()
        try:
            ledger = Ledger(url)
            with ledger.lease(APPLICATION) as lease:
                shop.start(ledger, lease)
                shop.promote(ledger, lease, SECOND, FIRST, 3)
            pipe.send("learned")
        except (LeaseHeldError, LostLineError) as lost:
            pipe.send(type(lost).__name__)

    children = [_in_child(race) for _ in range(8)]
    for _, pipe in children:
        pipe.send("go")
    said = [pipe.recv() for _, pipe in children]
    for child, _ in children:
        child.join()
    assert said.count("learned") == 1
    assert set(said) <= {"learned", "LeaseHeldError", "LostLineError"}
    line = Ledger(url).line(APPLICATION)
    assert line and (line.head, line.sequence) == (SECOND, 2)


def _wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, "it did not come true in 20 seconds"
        time.sleep(0.01)
