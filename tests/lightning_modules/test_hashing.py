"""Choices by hash."""

from datetime import date
from hashlib import sha256

import numpy as np

from lightning_modules.hashing import days_of, fraction, in_holdout, list_keys, mixed


def test_the_holdout_is_the_documented_rule() -> None:
    day, users = date(2024, 5, 6), [f"u{number}" for number in range(50)]
    expected = [
        int(sha256(f"2024-05-06:{user}".encode()).hexdigest()[:16], 16) / 2**64 < 0.2
        for user in users
    ]
    assert in_holdout(list_keys(day, users), 0.2).tolist() == expected
    assert 0 < sum(expected) < 50


def test_no_share_holds_nobody_out_and_all_holds_everybody() -> None:
    keys = list_keys(date(2024, 5, 6), ["a", "b"])
    assert not in_holdout(keys, 0.0).any()
    assert in_holdout(keys, 1.0).all()


def test_mixed_words_are_even() -> None:
    draws = fraction(mixed(np.arange(10_000, dtype=np.uint64)))
    assert abs(draws.mean() - 0.5) < 0.01
    assert abs((draws < 0.12).mean() - 0.12) < 0.01


def test_the_day_of_a_name_is_found_among_those_asked() -> None:
    first, second, other = date(2017, 10, 1), date(2017, 10, 2), date(2017, 10, 3)
    users = np.array(["a", "b", "c"], object)
    keys = np.concatenate(
        [list_keys(first, ["a"]), list_keys(second, ["b"]), list_keys(other, ["c"])]
    )
    assert days_of(keys, users, [second, first]) == [first, second, None]
    assert days_of(keys[:0], users[:0], [first]) == []
