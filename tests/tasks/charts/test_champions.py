"""Who served when."""

import datetime as dt
from typing import Any

from tasks import charts
from tasks.ledger import Ledger
from tasks.nights import Night, nights
from tests.tasks import made_up_nights as made_up
from tests.tasks.made_up_nights import APPLICATION, date, name

HOSTILE = "<a href='x'>here</a>"


def bars(ledger: Ledger) -> dict[str, Any]:
    known = nights(ledger, APPLICATION)
    found = charts.champions(known, ledger.champions(APPLICATION), ledger.history(APPLICATION))
    assert found is not None
    (drawn,) = found["data"]
    assert isinstance(drawn, dict)
    return drawn


def terms(ledger: Ledger) -> list[tuple[str, str, int, int]]:
    """Row, version, and from which to which day."""
    drawn = bars(ledger)
    found = []
    for row, text, base, length in zip(
        drawn["y"], drawn["text"], drawn["base"], drawn["x"], strict=True
    ):
        begin = (dt.date.fromisoformat(base) - date(0)).days
        found.append((row, text, begin, begin + length // 86_400_000))
    return found


def test_each_champion_serves_until_the_next_one(ledger: Ledger, known: list[Night]) -> None:
    assert terms(ledger) == [
        ("served", name(2)[:7], 2, 3),
        ("served", name(3)[:7], 3, 6),
        ("served", name(6)[:7], 6, 8),
        ("served", name(8)[:7], 8, 10),
    ]
    assert bars(ledger)["customdata"][-1] == str(date(8))  # a click opens the day


def test_what_an_operator_took_back_is_shown_below(ledger: Ledger) -> None:
    made_up.go_back_to(ledger, 7, 8, 9, reason=HOSTILE)
    assert terms(ledger) == [
        ("served", name(2)[:7], 2, 3),
        ("served", name(3)[:7], 3, 6),
        ("served", name(6)[:7], 6, 7),
        ("taken back", name(6)[:7], 7, 8),
        ("taken back", name(8)[:7], 8, 10),
        ("served", name(7)[:7], 7, 10),
    ]
    assert "&lt;a href" in bars(ledger)["hovertext"][-1]
    assert "<a " not in bars(ledger)["hovertext"][-1]
