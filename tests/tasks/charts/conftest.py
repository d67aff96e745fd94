"""The plots' ledger is that of the made-up nights."""

import pytest

from tasks.ledger import Ledger


@pytest.fixture
def ledger(made_up_ledger: Ledger) -> Ledger:
    return made_up_ledger
