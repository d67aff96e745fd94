"""A line changes whole or not at all, from the head that the change was made from."""

import os
from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy.exc import IntegrityError

from tasks.ledger import AlreadyLearnedError, Day, Ledger, LostLineError
from tests.tasks.ledger import shop
from tests.tasks.ledger.shop import APPLICATION, FIRST, FOURTH, SECOND, THIRD, date

LOST = 7
LANDED = {date(number): f"content {number}" for number in range(1, 6)}


@pytest.mark.fault(21)
def test_who_built_on_an_old_head_loses_and_leaves_no_trace(url: str) -> None:
    one, other = Ledger(url), Ledger(url)
    with one.lease(APPLICATION) as lease:
        shop.start(one, lease)
        shop.promote(one, lease, SECOND, FIRST, 3)
        before = one.contents()
        with pytest.raises(LostLineError, match=f"stands at {SECOND}, not at {FIRST}"):
            shop.promote(other, lease, THIRD, FIRST, 4)
        with pytest.raises(LostLineError, match="not at None"):
            shop.start(other, lease)
    assert other.contents() == before


def test_no_day_is_learned_twice(ledger: Ledger) -> None:
    with ledger.lease(APPLICATION) as lease:
        shop.start(ledger, lease)
        shop.promote(ledger, lease, SECOND, FIRST, 3)
        before = ledger.contents()
        with pytest.raises(AlreadyLearnedError, match=f"2017-10-03.*{SECOND}"):
            shop.promote(ledger, lease, THIRD, SECOND, 3)
    assert ledger.contents() == before


@pytest.mark.fault(16)
def test_what_changes_no_version_is_noted_once(ledger: Ledger) -> None:
    given_up = Day(day=date(3), digest="content 3", outcome="given_up", reason="lost")
    ignored = Day(day=date(2), digest="corrected", outcome="ignored", reason="by policy")
    with ledger.lease(APPLICATION) as lease:
        shop.start(ledger, lease)
        ledger.quarantine(lease, date(3), "content 3", "bad")
        for _ in range(2):
            ledger.note(lease, given_up)
            ledger.note(lease, ignored)
        with pytest.raises(AlreadyLearnedError):
            ledger.note(lease, given_up.model_copy(update={"day": date(2)}))
    assert [e.outcome for e in ledger.history(APPLICATION)][2:] == [
        "quarantined",
        "given_up",
        "ignored",
    ]
    fates = ledger.fates(APPLICATION)
    assert (fates[date(2)].outcome, fates[date(3)].outcome) == ("learned", "given_up")
    assert date(3) not in ledger.due(APPLICATION, LANDED)
    assert date(3) in ledger.due(APPLICATION, LANDED | {date(3): "mended"})


def test_a_quarantined_day_waits_for_other_content(ledger: Ledger) -> None:
    with ledger.lease(APPLICATION) as lease:
        shop.start(ledger, lease)
        ledger.quarantine(lease, date(3), "content 3", "events lack the column user_id")
        ledger.quarantine(lease, date(3), "content 3", "said again")
        assert ledger.due(APPLICATION, LANDED) == [date(4), date(5)]
        assert ledger.due(APPLICATION, {date(3): "mended"}) == [date(3)]
        ledger.quarantine(lease, date(3), "mended badly", "still no user_id")
        line = shop.promote(ledger, lease, SECOND, FIRST, 3)
        with pytest.raises(AlreadyLearnedError):
            ledger.quarantine(lease, date(3), "content 3", "too late")
    assert line.sequence == 4
    assert [entry.outcome for entry in ledger.history(APPLICATION)[2:]] == [
        "quarantined",
        "quarantined",
        "learned",
    ]
    assert ledger.fates(APPLICATION)[date(3)].version == SECOND


def test_before_the_bootstrap_nothing_can_be_set_aside(ledger: Ledger) -> None:
    with (
        ledger.lease(APPLICATION) as lease,
        pytest.raises(LostLineError, match="run the bootstrap first"),
    ):
        ledger.quarantine(lease, date(3), "content 3", "bad")


def test_after_a_rewind_the_days_since_are_learned_again(ledger: Ledger) -> None:
    with ledger.lease(APPLICATION) as lease:
        shop.start(ledger, lease)
        shop.promote(ledger, lease, SECOND, FIRST, 3)
        shop.promote(ledger, lease, THIRD, SECOND, 4)
        again = Day(day=date(3), digest="content 3", outcome="rewound", reason="an operator")
        aside = Day(day=date(4), digest="content 4", outcome="quarantined", reason="an operator")
        back = shop.champion(FIRST, 4, "roll_back")
        line = ledger.rewind(lease, THIRD, shop.version(FIRST, None, 2), [again, aside], back)
        assert (line.head, line.champion, line.day) == (FIRST, FIRST, date(2))
        assert ledger.due(APPLICATION, LANDED) == [date(3), date(5)]
        shop.promote(ledger, lease, SECOND, FIRST, 3)  # the same day again: the same name
    assert [entry.version for entry in ledger.champions(APPLICATION)] == [
        FIRST,
        SECOND,
        THIRD,
        FIRST,
        SECOND,
    ]
    assert ledger.fates(APPLICATION)[date(3)].sequence == 5
    assert len(ledger.contents()["versions"]) == 3


def test_after_an_automatic_rollback_no_day_is_learned_again(ledger: Ledger) -> None:
    with ledger.lease(APPLICATION) as lease:
        shop.start(ledger, lease)
        shop.promote(ledger, lease, SECOND, FIRST, 3)
        shop.keep(ledger, lease, THIRD, SECOND, 4)
        made = shop.version(FOURTH, THIRD, 5).model_copy(
            update={"kind": "rolled back", "predecessor": None}
        )
        fates = [shop.learned(number, FOURTH, "keep") for number in (3, 4)]
        today = shop.learned(5, FOURTH, "roll_back")
        crowned = shop.champion(FIRST, 5, "roll_back")
        line = ledger.rewind(lease, THIRD, made, [*fates, today], crowned)
    assert (line.head, line.champion, line.predecessor) == (FOURTH, FIRST, None)
    assert ledger.due(APPLICATION, LANDED) == []
    assert {entry.version for entry in ledger.history(APPLICATION)[-3:]} == {FOURTH}


def test_what_does_not_fit_together_is_refused_whole(ledger: Ledger) -> None:
    with ledger.lease(APPLICATION) as lease:
        shop.start(ledger, lease)
        before = ledger.contents()
        with pytest.raises(IntegrityError):  # a champion that nobody knows
            ledger.commit_increment(
                lease,
                FIRST,
                shop.version(SECOND, FIRST, 3),
                shop.learned(3, SECOND),
                shop.champion(THIRD, 3),
            )
        with pytest.raises(ValueError, match="other fields"):
            shop.promote(ledger, lease, FIRST, FIRST, 3)
    assert ledger.contents() == before


@pytest.mark.fault(20)
def test_of_eight_that_write_with_one_lease_exactly_one_moves_the_head(url: str) -> None:
    """Even if the lease itself were given out twice, the head is compared and set."""
    ledger = Ledger(url)
    names = [f"{digit}" * 64 for digit in range(8)]
    with ledger.lease(APPLICATION) as lease:
        shop.start(ledger, lease)
        writes = [partial(shop.promote, ledger, lease, name, FIRST, 3) for name in names]
        children = [_forked(write) for write in writes]
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert sorted(codes) == [0] + [LOST] * 7
    line = ledger.line(APPLICATION)
    assert line is not None
    assert line.head == names[codes.index(0)]
    assert len(ledger.contents()["versions"]) == 2


def _forked(write: Callable[[], object]) -> int:
    """The process id of a child that writes and says by its exit code how that went."""
    child = os.fork()
    if child == 0:
        try:
            write()
            os._exit(0)
        except LostLineError:
            os._exit(LOST)
        except BaseException:  # noqa: BLE001  a forked child must never return into pytest
            os._exit(1)
    return child
