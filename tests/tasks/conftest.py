"""What tests of the report share: made-up nights in an empty place."""

from pathlib import Path

import pytest

from tasks import workspace
from tasks.ledger import Ledger
from tasks.nights import Night, nights
from tests.tasks import made_up_nights as made_up
from tests.tasks.made_up_nights import APPLICATION


@pytest.fixture
def made_up_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """The ledger of the made-up nights; the current directory is theirs."""
    monkeypatch.chdir(tmp_path)
    ledger = Ledger(f"sqlite:///{workspace.LEDGER}")
    made_up.write_nights(ledger)
    return ledger


@pytest.fixture
def known(made_up_ledger: Ledger) -> list[Night]:
    """The made-up nights, as the plots are given them."""
    return nights(made_up_ledger, APPLICATION)
