"""The day is scored before it is learned, champion beside its rivals, on the same lists."""

import pandas as pd
import pytest

from tasks import learners, reference
from tasks.attempt import open_attempt
from tasks.days import read_events
from tasks.prequential import FILE, METHODS, UNITS, prequential
from tasks.records import IdCount, Prequential
from tests.line import Place, attempt


def test_every_household_is_scored_once_by_each_method(evening: Place) -> None:
    table = reference.read_frame(attempt() / UNITS)
    found = Prequential.read(attempt() / FILE)
    households = [set(part["unit"]) for _, part in table.groupby("method")]
    assert households == [households[0]] * len(METHODS)
    assert len(table) == len(METHODS) * found.units
    assert set(table["day"]) == {str(found.day)}
    assert found.metric == "ndcg@20"
    means = table[table["method"] == "champion"][["recall@10", "ndcg@20"]].mean()
    assert found.champion["recall@10"] == pytest.approx(means["recall@10"], abs=1e-6)
    assert found.champion["ndcg@20"] == pytest.approx(means["ndcg@20"], abs=1e-6)


def test_the_first_champion_is_its_own_predecessor_and_beats_counting(evening: Place) -> None:
    found = Prequential.read(attempt() / FILE)
    assert found.champion == found.predecessor == found.anchor
    assert found.champion["ndcg@20"] > found.naive["ndcg@20"]


def test_versions_differ_only_in_what_was_learned(seasoned: Place) -> None:
    increment = seasoned.due()
    where = open_attempt(increment)
    found = prequential(increment, seasoned.params, where)
    table = reference.read_frame(where / UNITS)
    scores = table.pivot(index="unit", columns="method", values="score")
    assert not scores["champion"].equals(scores["predecessor"])
    assert not scores["champion"].equals(scores["anchor"])
    content = (where / UNITS).read_bytes()
    assert prequential(increment, seasoned.params, where) == found
    assert (where / UNITS).read_bytes() == content


def test_a_closed_day_has_no_households(evening: Place) -> None:
    closed = evening.due().model_copy(update={"partitions": {}})
    found = prequential(closed, evening.params, attempt())
    assert (found.units, found.champion) == (0, {})
    empty = reference.read_frame(attempt() / UNITS)
    assert empty.empty
    assert reference.champion_scores(attempt() / UNITS).empty
    pd.testing.assert_index_equal(
        empty.columns[:1].append(empty.columns[-2:]), pd.Index(["day", "method", "score"])
    )


def test_it_counts_the_ids_that_the_parent_has_no_row_for(evening: Place) -> None:
    found = Prequential.read(attempt() / FILE).ids
    learner = learners.champion(evening.due(), evening.params, attempt())
    events = read_events(evening.due())
    rows = {"user_id": learner.vocabulary.users, "item_id": learner.vocabulary.items}  # type: ignore[attr-defined]
    for column, known in rows.items():
        today = set(events[column])
        new = today - known.row_of.keys()
        assert found[column] == IdCount(known=len(known), today=len(today), new=len(new))


def test_it_says_whom_the_verdict_will_be_about(evening: Place) -> None:
    table = reference.read_frame(attempt() / UNITS)
    judged = reference.read_frame(attempt() / "evaluation.parquet")
    for _, part in table.groupby("method"):
        assert set(part.loc[part["held_out"], "unit"]) == set(judged["unit"])
        assert 0 < part["held_out"].sum() < len(part)
