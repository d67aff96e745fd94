"""What a collection took is noted once, beside the rows that stay, and lifted when it is back."""

import pytest

from tasks.ledger import Ledger, LostLineError
from tests.tasks.ledger.shop import APPLICATION, FIRST, SECOND, THIRD, keep, promote, start


@pytest.mark.fault(28, 29)
def test_said_twice_is_said_once_and_no_row_goes(ledger: Ledger) -> None:
    with ledger.lease(APPLICATION) as lease:
        start(ledger, lease)
        promote(ledger, lease, SECOND, FIRST, 3)
        truth = ledger.contents()
        ledger.note_collected(lease, [FIRST])
        when = ledger.collected(APPLICATION)
        ledger.note_collected(lease, [FIRST])
    assert when.keys() == {FIRST}
    assert ledger.collected(APPLICATION) == when
    assert ledger.collected("pricing") == {}
    assert ledger.contents() == truth


@pytest.mark.fault(29)
def test_a_version_that_is_learned_again_is_there_again(ledger: Ledger) -> None:
    with ledger.lease(APPLICATION) as lease:
        start(ledger, lease)
        keep(ledger, lease, SECOND, FIRST, 3)
        first = ledger.versions(APPLICATION)[FIRST]
        ledger.rewind(lease, SECOND, first, [], None)
        ledger.note_collected(lease, [SECOND, FIRST])
        keep(ledger, lease, THIRD, FIRST, 4)
    assert ledger.collected(APPLICATION).keys() == {SECOND, FIRST}
    with ledger.lease(APPLICATION) as lease:
        ledger.rewind(lease, THIRD, ledger.versions(APPLICATION)[SECOND], [], None)
    assert ledger.collected(APPLICATION).keys() == {FIRST}


@pytest.mark.fault(21, 29)
def test_nothing_is_noted_without_the_lease(ledger: Ledger) -> None:
    with ledger.lease(APPLICATION) as lease:
        start(ledger, lease)
    with pytest.raises(LostLineError):
        ledger.note_collected(lease, [FIRST])
    assert ledger.collected(APPLICATION) == {}
