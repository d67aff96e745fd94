"""Champion beside rivals: same rows or none, and intervals that mean what they say."""

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import findings, prequential, rivals

FIRST = dt.date(2017, 10, 1)
DAYS = [(FIRST + dt.timedelta(offset)).isoformat() for offset in range(6)]


def scored(method: str, level: float, days: list[str] = DAYS) -> pd.DataFrame:
    """Three households a day, all at the same level, which rises a little from day to day."""
    rows = [
        {"day": day, "user_id": user, "method": method}
        | dict.fromkeys(rivals.METRICS, level + number / 100)
        for number, day in enumerate(days)
        for user in ("anna", "ben", "cleo")
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def simple() -> pd.DataFrame:
    return pd.concat([scored(name, 0.2) for name in rivals.METHODS], ignore_index=True)


def test_gain_is_paired_by_day_and_meets_its_bar(simple: pd.DataFrame) -> None:
    table = prequential.join(scored("champion", 0.25), simple)
    found = prequential.compare(table, {"champion": 12.0})
    by = {(one.measure, one.method): one for one in found}
    gain = by["ndcg@20 gain of the champion", "tifu_knn"]
    assert gain.value == pytest.approx(0.05)
    # Days differ by far more than the methods; pairing takes that out of the interval.
    assert gain.interval == pytest.approx((0.05, 0.05))
    assert (gain.bar, gain.met, gain.days, gain.rows) == (0.0, True, 6, 18)
    level = by["ndcg@20", "champion"]
    assert level.cpu_seconds == 12.0
    assert level.interval is not None
    assert level.interval[1] - level.interval[0] > 0.01


def test_a_champion_that_is_no_better_does_not_meet_the_bar(simple: pd.DataFrame) -> None:
    champion = scored("champion", 0.2)
    champion.loc[champion["day"] == DAYS[0], rivals.METRICS] += 0.01
    found = prequential.compare(prequential.join(champion, simple), {})
    met = [one.met for one in found if one.bar is not None]
    assert met == [False] * 4


def test_households_are_averaged_within_a_day_first(simple: pd.DataFrame) -> None:
    champion = scored("champion", 0.5)
    crowd = [champion.assign(user_id=champion["user_id"] + str(copy)) for copy in range(9)]
    busy = pd.concat(crowd)[lambda rows: rows["day"] == DAYS[0]]
    rival = [busy.assign(method=name) for name in rivals.METHODS]
    table = prequential.join(pd.concat([champion, busy]), pd.concat([simple, *rival]))
    found = prequential.compare(table, {})
    assert found[0].value == pytest.approx(0.5 + 0.025)  # each day counts once


@pytest.mark.parametrize("lost", ["champion", "tifu_knn"])
def test_rows_that_differ_are_refused(simple: pd.DataFrame, lost: str) -> None:
    table = pd.concat([scored("champion", 0.3), simple])
    table = table[(table["method"] != lost) | (table["user_id"] != "ben")]
    own = table["method"] == "champion"
    with pytest.raises(prequential.DifferentRowsError, match=r"6 .*such as \('2017-10-01', 'ben'"):
        prequential.join(table[own], table[~own])
    with pytest.raises(prequential.DifferentRowsError, match="no rows of the champion"):
        prequential.join(table[~own], table[~own])


def attach(workspace: Path, version: str, table: pd.DataFrame) -> None:
    file = workspace / "var/attachments/recommendation" / version / "prequential.parquet"
    file.parent.mkdir(parents=True)
    table.to_parquet(file, index=False)


def test_champion_is_read_from_the_attachments(tmp_path: Path) -> None:
    for number, day in enumerate(DAYS):
        attach(tmp_path, f"v{number}", scored("champion", 0.3, [day]).assign(score=1.0))
    table = prequential.read_champion(tmp_path, FIRST, FIRST + dt.timedelta(2))
    assert list(table.columns) == [*rivals.KEY, *rivals.METRICS]
    assert sorted(table["day"].unique()) == DAYS[:3]


def test_a_day_scored_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="replay the days there first"):
        prequential.read_champion(tmp_path, FIRST, FIRST)
    attach(tmp_path, "one", scored("champion", 0.3))
    attach(tmp_path, "two", scored("champion", 0.3))
    with pytest.raises(prequential.DifferentRowsError, match="2017-10-01 more than once"):
        prequential.read_champion(tmp_path, FIRST, FIRST)


def test_quick_form_is_labelled(
    simple: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings, "RESULTS", tmp_path)
    found = prequential.compare(prequential.join(scored("champion", 0.25), simple), {})
    published = findings.publish("prequential", found, "| a |", notes=("One.",), quick=True)
    assert "not to be quoted" in (tmp_path / "prequential.quick.md").read_text()
    written = json.loads((tmp_path / "prequential.quick.json").read_text())
    assert written["form"] == "quick"
    assert set(written) >= {"findings", "commit", "machine", "date", "command"}
    assert findings.Findings.read(tmp_path / "prequential.quick.json") == published


def test_interval_is_as_wide_as_theory_says() -> None:
    daily = np.random.default_rng(1).normal(size=400)
    low, high = prequential.day_interval(daily)
    assert high - low == pytest.approx(2 * 1.96 * daily.std() / 20, rel=0.05)
