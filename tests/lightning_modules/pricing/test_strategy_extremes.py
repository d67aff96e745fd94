"""Prices, limits and costs that are zero, negative, endless or none."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_modules.pricing.strategy import Limits, propose
from tests.lightning_modules.pricing.test_strategy import items

extreme = st.sampled_from([0.0, -1.0, 0.004, 1e-9, 1e9, np.nan, np.inf, -np.inf])
anything = st.one_of(extreme, st.floats(0.05, 500.0))


@pytest.mark.fault(40)
@given(
    price=anything,
    low=anything,
    high=anything,
    cost=anything,
    change=st.sampled_from([0.0, 0.1, 0.99]),
    objective=st.sampled_from(["revenue", "profit"]),
)
def test_whatever_the_log_says_no_price_is_moved_to_what_is_none(
    price: float, low: float, high: float, cost: float, change: float, objective: Any
) -> None:
    table = propose(
        items(price=price, low=low, high=high, cost=cost),
        lambda prices: (1 / np.maximum(prices, 0.01), 0.0 * prices),
        Limits(objective, change, caution=0.0),
    )
    row = table.iloc[0]
    proposed = row["proposed"]
    if proposed == price or (np.isnan(proposed) and np.isnan(price)):
        return
    assert np.isfinite(proposed) and proposed > 0
    assert low <= proposed <= high
    assert not proposed < cost
