"""The rivals of the session benchmark, against known values."""

import numpy as np
import pytest
from scipy import sparse

from benchmarks.session_rivals import (
    ANOTHER,
    Log,
    Own,
    item_knn,
    measures,
    popularity,
    ranks,
    ranks_of_lists,
    session_knn,
)
from lightning_modules.recommendation.session_places import Places, session_places
from lightning_modules.recommendation.settings import SessionSettings
from tests.lightning_modules.recommendation.tiny_sessions import seasoned, session, sessions_of
from tests.lightning_modules.recommendation.tiny_shop import FIRST, no_items, shop_day

TODAY = 20


def sold() -> Log:
    """Two days: a and b together twice, b and c once; d alone, and long ago."""
    log = Log()
    log.add(10, np.array([0]), ["d"])
    log.add(18, np.array([0, 0, 1, 1]), ["a", "b", "a", "b"])
    log.add(19, np.array([0, 0, 0]), ["b", "c", "b"])
    return log


def prefix(log: Log, *names: str) -> sparse.csr_matrix:
    row = np.zeros((1, len(log.items)))
    row[0, log.items.find(names)] = 1
    return sparse.csr_matrix(row)


def places(*items: str) -> Places:
    day = shop_day(session("s", *items), no_items(), FIRST)
    return session_places(day, SessionSettings(positions=9))


def test_popularity_fades() -> None:
    log = sold()
    found = popularity(log.past(TODAY), prefix(log, "a"), 5.0)[0]
    near, far = np.exp(-2 / 5), np.exp(-1 / 5)
    wanted = {"a": 2 * near, "b": 2 * near + far, "c": far, "d": np.exp(-2)}
    for name, value in wanted.items():
        assert found[log.items.row_of[name]] == pytest.approx(value), name


def test_items_are_near_by_the_sessions_they_share() -> None:
    log = sold()
    found = item_knn(log.past(TODAY), prefix(log, "a"), 1e9, 2.0)[0]
    b, c = (log.items.row_of[name] for name in "bc")
    assert found[b] == pytest.approx(2 / np.sqrt((2 + 2) * (3 + 2)))
    assert found[c] == 0


def test_the_nearest_of_the_last_sessions_speak() -> None:
    log = sold()
    found = session_knn(log.past(TODAY), prefix(log, "b"), 9, 9)[0]
    a, c, d = (log.items.row_of[name] for name in "acd")
    assert found[a] == pytest.approx(2 / np.sqrt(2))
    assert found[c] == pytest.approx(1 / np.sqrt(2))
    assert found[d] == 0
    assert session_knn(log.past(TODAY), prefix(log, "b"), 1, 9)[0][a] == 0


@pytest.mark.parametrize(
    ("own", "wanted"),
    [("first", [3, 2, 1]), ("never", [2, np.inf, np.inf]), ("scored", [3, 1, 1])],
)
def test_a_prefixs_own_items_stand_where_they_are_put(own: Own, wanted: list[float]) -> None:
    log = sold()
    some = places("b", "c", "b", "b")  # by popularity: b, a, c, d
    known = log.past(TODAY)
    found = ranks(log, some, known, lambda past, these: popularity(past, these, 1e9), own=own)
    assert found.tolist() == wanted


def test_an_item_never_seen_is_lost() -> None:
    log = sold()
    some = places("a", "new", "b")
    found = ranks(
        log, some, log.past(TODAY), lambda past, these: item_knn(past, these, 1e9), own="never"
    )
    assert found.tolist() == [np.inf, 1]


def test_measures_are_means_by_session() -> None:
    some = places("a", "b", "b", "c")
    found = measures(some, np.array([1.0, 15.0, np.inf]))
    assert found.loc["s", "recall@10"] == pytest.approx(1 / 3)
    assert found.loc["s", "recall@20"] == pytest.approx(2 / 3)
    assert found.loc["s", "mrr@20"] == pytest.approx((1 + 1 / 15) / 3)
    assert found.loc["s", "ndcg@20"] == pytest.approx((1 + 1 / 4) / 3)
    assert found.loc["s", ANOTHER] == pytest.approx(1 / 2)


def test_ranks_of_lists_are_those_the_learner_judges_by() -> None:
    learner = seasoned(5)
    today = sessions_of(FIRST.replace(day=6))
    examples = learner.examples(today)
    apart = np.linspace(0, 1e-3, len(examples.lists.items), dtype=np.float32)
    scores = (learner.naive_scores(examples) + apart).astype(np.float32)
    found = measures(
        session_places(today, learner.settings), ranks_of_lists(examples.lists, scores)
    )
    quality = learner.quality(examples, scores).set_index("unit")
    for name in ("recall@10", "recall@20", "ndcg@20"):
        assert found[name].to_numpy() == pytest.approx(quality.loc[found.index, name].to_numpy())
