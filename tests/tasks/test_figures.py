"""Figures as people read them."""

import pytest

from tasks.figures import figure


@pytest.mark.parametrize(
    ("value", "sign", "text"),
    [
        (12.34567, "", "12.3457"),
        (0.25, "+", "+0.2500"),
        (0.0068412, "", "0.00684"),
        (-0.00007, "+", "-7.00e-05"),
        (0.0, "+", "+0.0000"),
        (None, "+", ""),
    ],
)
def test_what_is_small_keeps_three_digits(value: float | None, sign: str, text: str) -> None:
    assert figure(value, sign) == text
