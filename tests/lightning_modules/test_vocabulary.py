"""Ids that come and go: one row an id, one id a row, and no row is remembered as another's."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_modules.vocabulary import NO_ROW, Rows, Rule, Vocabulary

NAMES = list("abcdefgh")
# Days as the number of days since the one before, and who comes on them, in the order of coming.
DAYS = st.lists(
    st.tuples(st.integers(1, 4), st.lists(st.sampled_from(NAMES), unique=True)), max_size=25
)
RULES = st.builds(
    Rule,
    admit_after=st.integers(1, 3),
    expire_days=st.none() | st.integers(1, 5),
    remembered=st.integers(1, 9),
)
NOBODY = np.zeros(0, np.int64)


def live(rows: Rows, ids: list[str], day: int) -> list[int]:
    """One day; the rows that were taken back."""
    rows.see(ids, day)
    freed: list[int] = rows.end_day(day).tolist()
    return freed


def dated(days: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    numbers = np.cumsum([gap for gap, _ in days]).tolist()
    return [(number, ids) for number, (_, ids) in zip(numbers, days, strict=True)]


def as_file(rows: Rows) -> str:
    return json.dumps(rows.told())


def test_rows_keep_their_place_when_others_come() -> None:
    rows = Rows(["b", "a"])
    rows.admit(["c", "a", "d"])
    assert rows.find(["b", "a", "c", "d", "e"]).tolist() == [0, 1, 2, 3, -1]


def test_foreseen_rows_are_the_ones_given_later() -> None:
    rows = Rows(["a"])
    foreseen = rows.foresee(["b", "a", "c"])
    assert len(rows) == 1
    rows.admit(["b", "a", "c"])
    assert foreseen.tolist() == rows.find(["b", "a", "c"]).tolist() == [1, 0, 2]


def test_a_file_brings_back_every_row(tmp_path: Path) -> None:
    vocabulary = Vocabulary(["ü", "b"], ["x"], ["food|c|s", "food|c|t", "toys|c|s"])
    vocabulary.save(tmp_path / "vocabulary.json")
    again = Vocabulary.load(tmp_path / "vocabulary.json")
    assert again.users.row_of == {"ü": 0, "b": 1}
    assert again.items.row_of == {"x": 0}
    assert again.departments_and_categories().tolist() == [0, 0, 1]


def test_where_ids_stay_the_file_is_a_list_of_them(tmp_path: Path) -> None:
    vocabulary = Vocabulary(["ü"])
    live(vocabulary.users, ["b", "ü"], 5)
    vocabulary.save(tmp_path / "vocabulary.json")
    assert (tmp_path / "vocabulary.json").read_text(encoding="utf-8") == (
        '{"users": ["ü", "b"], "items": [], "groups": [], "channels": []}'
    )


@pytest.mark.fault(35)
@given(RULES, DAYS)
def test_at_any_time_an_id_has_one_row_of_its_own_and_keeps_it(
    rule: Rule, days: list[tuple[int, list[str]]]
) -> None:
    rows = Rows(rule=rule)
    for day, ids in dated(days):
        before = dict(rows.row_of)
        foreseen = rows.foresee(ids)
        rows.see(ids, day)
        assert before.items() <= rows.row_of.items()
        got = rows.find(ids)
        assert np.where(got < 0, NO_ROW, got).tolist() == foreseen.tolist()
        there = dict(rows.row_of)
        freed = rows.end_day(day)
        assert rows.row_of == {name: row for name, row in there.items() if row not in freed}
        assert sorted([*rows.row_of.values(), *rows.free]) == list(range(len(rows)))
        assert rows.find(rows.ids()[list(rows.row_of.values())]).tolist() == [
            *rows.row_of.values()
        ]


@pytest.mark.fault(35)
@given(RULES, DAYS)
def test_there_are_never_more_rows_than_there_were_ids_at_once(
    rule: Rule, days: list[tuple[int, list[str]]]
) -> None:
    rows, most = Rows(rule=rule), 0
    for day, ids in dated(days):
        rows.see(ids, day)
        most = max(most, len(rows.row_of))
        rows.end_day(day)
        assert len(rows) <= most
        assert rows.size - 1 not in rows.free
        assert max(len(rows.counted), len(rows.gone)) <= rule.remembered
        assert not {*rows.row_of} & {*rows.counted, *rows.gone}
        if rule.expire_days is not None:
            assert len(rows.born) == len(rows.last) == len(rows)


@pytest.mark.fault(35)
@given(RULES, DAYS)
def test_a_row_has_another_generation_with_each_id(
    rule: Rule, days: list[tuple[int, list[str]]]
) -> None:
    rows = Rows(rule=rule)
    holder: dict[tuple[int, int], tuple[str, int]] = {}  # of a row in a generation
    lives = dict.fromkeys(NAMES, 0)
    for day, ids in dated(days):
        was = set(rows.row_of)
        expected = rows.generations(rows.foresee(ids))
        rows.see(ids, day)
        for name in set(rows.row_of) - was:
            lives[name] += 1
        told = rows.generations(NOBODY)
        for name, row in rows.row_of.items():
            assert expected[row] == told[row]
            life = (name, lives[name])
            assert holder.setdefault((row, int(told[row])), life) == life or not rule.expire_days
        rows.end_day(day)


@given(RULES, DAYS, st.integers(0, 24))
def test_to_save_and_load_changes_nothing_that_follows(
    rule: Rule, days: list[tuple[int, list[str]]], at: int
) -> None:
    straight, resumed = Rows(rule=rule), Rows(rule=rule)
    for number, (day, ids) in enumerate(dated(days)):
        if number == at:
            resumed = Rows.read(json.loads(as_file(resumed)), rule)
        assert live(straight, ids, day) == live(resumed, ids, day)
        assert as_file(straight) == as_file(resumed)


def test_an_id_is_admitted_on_the_day_of_its_kth_sighting() -> None:
    rows = Rows(rule=Rule(admit_after=3))
    for day in (1, 2):
        rows.see(["a", "a"], day)  # twice on a day is one sighting
        assert "a" not in rows.row_of
    rows.see(["b"], 3)
    assert rows.foresee(["b", "a"]).tolist() == [NO_ROW, 0]
    rows.see(["b", "a"], 4)
    assert rows.row_of == {"a": 0}
    assert rows.counted == {"b": 2}


def test_sightings_of_the_ids_seen_longest_ago_are_forgotten() -> None:
    rows = Rows(rule=Rule(admit_after=3, remembered=2))
    for day, name in enumerate("abac", 1):
        rows.see([name], day)
    assert rows.counted == {"a": 2, "c": 1}


def test_a_row_is_taken_back_after_the_days_without_a_sighting() -> None:
    rows = Rows(rule=Rule(expire_days=3))
    assert live(rows, ["a", "b"], 1) == []
    assert live(rows, ["b"], 2) == []
    assert live(rows, [], 3) == []
    assert live(rows, [], 4) == [0]
    assert rows.gone == {"a": 4}
    assert live(rows, ["c"], 5) == [1]
    assert rows.row_of == {"c": 0}
    assert len(rows) == 1


@pytest.mark.fault(35)
def test_who_comes_back_is_admitted_at_once_to_whatever_row_is_free() -> None:
    rows = Rows(rule=Rule(admit_after=2, expire_days=2))
    for day in (1, 2):
        live(rows, ["a", "b"], day)
    live(rows, ["b"], 3)
    assert live(rows, ["b"], 4) == [0]
    live(rows, ["c", "b"], 5)
    live(rows, ["c", "b"], 6)
    assert rows.row_of == {"b": 1, "c": 0}
    live(rows, ["a", "d"], 7)
    assert rows.row_of["a"] == 2
    assert "d" not in rows.row_of


def test_ids_from_before_there_was_a_rule_are_given_its_time() -> None:
    rows = Rows(["a", "b"])
    rows.rule = Rule(expire_days=2)
    assert live(rows, ["b"], 100) == []
    assert live(rows, [], 101) == []
    assert live(rows, ["b"], 102) == [0]


def test_a_rule_that_is_taken_back_leaves_the_generations() -> None:
    rows = Rows(["a", "b"], Rule(expire_days=1))
    live(rows, [], 1)
    assert live(rows, [], 2) == [0, 1]
    rows.rule = Rule()
    live(rows, ["c", "d"], 3)
    assert live(rows, [], 99) == []
    assert rows.generations(NOBODY).tolist() == [2, 2]


@pytest.mark.parametrize("told", [{"admit_after": 0}, {"expire_days": 0}, {"remembered": 0}])
def test_a_rule_of_nothing_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(told))} is 0"):
        Rule(**told)
