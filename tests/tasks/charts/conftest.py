"""Made-up nights, as the plots are given them."""

from pathlib import Path

import pytest

from tasks.ledger import Ledger
from tasks.nights import Night, nights
from tests.tasks import made_up_nights as made_up
from tests.tasks.made_up_nights import APPLICATION


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    monkeypatch.chdir(tmp_path)
    made = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    made_up.write_nights(made)
    return made


@pytest.fixture
def known(ledger: Ledger) -> list[Night]:
    return nights(ledger, APPLICATION)
