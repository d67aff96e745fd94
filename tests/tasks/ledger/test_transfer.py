"""A ledger goes from one database to another whole, or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.ledger import LeaseHeldError, Ledger, LostLineError
from tasks.ledger.transfer import transfer
from tests.tasks.ledger import shop
from tests.tasks.ledger.shop import APPLICATION, FIRST, SECOND, THIRD


@pytest.fixture
def source(tmp_path: Path) -> Ledger:
    """Three versions in a file, the later named before the earlier by every order of names."""
    ledger = Ledger(f"sqlite:///{tmp_path / 'mine' / 'ledger.db'}")
    with ledger.lease(APPLICATION) as lease:
        shop.start(ledger, lease)
        shop.promote(ledger, lease, "0" * 64, FIRST, 3)
        shop.keep(ledger, lease, THIRD, "0" * 64, 4)
        ledger.begin_attempt(lease, shop.date(5))
    return ledger


def test_all_of_it_arrives_and_goes_on(source: Ledger, ledger: Ledger) -> None:
    assert transfer(source, ledger)["versions"] == 3
    assert ledger.contents() == source.contents()
    assert ledger.champions(APPLICATION) == source.champions(APPLICATION)  # times, too
    assert ledger.attempts(APPLICATION) == source.attempts(APPLICATION)
    with ledger.lease(APPLICATION) as lease:
        assert lease.fencing > 2
        shop.promote(ledger, lease, SECOND, THIRD, 5)


def test_back_to_a_file(source: Ledger, ledger: Ledger, tmp_path: Path) -> None:
    transfer(source, ledger)
    back = Ledger(f"sqlite:///{tmp_path / 'back.db'}")
    transfer(ledger, back)
    assert back.contents() == source.contents()


def test_what_is_there_is_not_written_over(source: Ledger, ledger: Ledger) -> None:
    with ledger.lease(APPLICATION) as lease:
        shop.start(ledger, lease)
    before = ledger.contents()
    with pytest.raises(ValueError, match="has a ledger already: name an empty database"):
        transfer(source, ledger)
    assert ledger.contents() == before


def test_not_under_a_run_at_work(source: Ledger, ledger: Ledger) -> None:
    with source.lease(APPLICATION), pytest.raises(LeaseHeldError):
        transfer(source, ledger)
    assert not any(ledger.contents().values())


def test_a_run_of_before_can_write_in_neither(source: Ledger, ledger: Ledger) -> None:
    with source.lease(APPLICATION) as old:
        pass
    transfer(source, ledger)
    for place in (source, ledger):
        with pytest.raises(LostLineError):
            shop.promote(place, old, SECOND, THIRD, 5)


def test_the_command_says_what_it_did(source: Ledger, url: str) -> None:
    found = str(source.engine.url)
    done = subprocess.run(
        [sys.executable, "-m", "tasks.ledger.transfer", found],
        env=os.environ | {"DAYSHIFT_LEDGER_URL": url},
        check=True,
        capture_output=True,
        text=True,
    )
    assert "3 versions" in done.stdout
    assert f"move {found} away" in done.stdout
    assert Ledger(url).contents() == source.contents()
