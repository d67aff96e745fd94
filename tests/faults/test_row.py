"""The last guard of a line: its row is set only from where it was read."""

import pytest

from tasks.ledger import Ledger, LostLineError, commit
from tests.tasks.ledger import shop
from tests.tasks.ledger.shop import APPLICATION, FIRST, SECOND, THIRD

pytestmark = pytest.mark.fault(2)


@pytest.mark.parametrize("read", [{"head": THIRD}, {"sequence": 1}])
def test_a_row_that_moved_is_not_set(read: dict[str, object], ledger: Ledger) -> None:
    """The lease and the check of the head come before it; this one needs neither."""
    with ledger.lease(APPLICATION) as lease:
        shop.start(ledger, lease)
        here = shop.promote(ledger, lease, SECOND, FIRST, 3)
    moved = here.model_copy(update={"head": FIRST, "sequence": 3})
    lost = pytest.raises(LostLineError, match="moved while it was written")
    with lost, ledger.engine.begin() as connection:
        commit._move(connection, here.model_copy(update=read), moved)
    assert ledger.line(APPLICATION) == here
