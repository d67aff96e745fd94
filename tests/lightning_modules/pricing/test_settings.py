"""Settings that make no sense are refused before anything is learned with them."""

from datetime import date
from typing import Any

import pytest

from lightning_modules.pricing.settings import Settings


def test_closed_days_may_be_dates() -> None:
    read = Settings.read({"closed_days": [date(2024, 12, 25), "2024-12-26"]})
    assert read.closed_days == ("2024-12-25", "2024-12-26")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"strategy": {"objektive": "profit"}}, "strategy.*objektive.*Limits"),
        ({"strategy": {"objective": "fame"}}, "objective"),
        ({"judge": {"min_efective": 3}}, "judge.*min_efective.*Rules"),
        ({"min_days_at_price": 0}, "min_days_at_price"),
        ({"closed_days": ["2024-02-30"]}, "2024-02-30"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Settings.read(wrong)
