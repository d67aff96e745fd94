"""The verdict, as a table: what was measured and what becomes of the night."""

import datetime as dt
import math
from pathlib import Path

import pandas as pd
import pytest

from tasks import gate, reference
from tasks.decide import EVIDENCE
from tasks.records import Verdict
from tests.tasks.made import ANCHOR, DAY, PARENT, PREDECESSOR, SETTINGS, Night

YESTERDAY = DAY - dt.timedelta(days=1)
SETTINGS_WINDOW = SETTINGS.application("recommendation").gate.window_days


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return Night(tmp_path)


def failed(verdict: Verdict) -> list[str]:
    return [check.name for check in verdict.checks if not check.passed]


def test_an_equal_challenger_is_promoted_and_every_check_explains_itself(night: Night) -> None:
    verdict = night.verdict()
    assert (verdict.action, verdict.reason) == ("promote", "every check passed")
    assert verdict.alarms == ()
    assert [check.name for check in verdict.checks] == [
        "champion not worse than its predecessor",
        "champion not worse than its anchor",
        "enough held-out users",
        "challenger not worse on held-out users (ndcg@20)",
        "no forgetting (loss on past holdouts)",
    ]
    holdout = verdict.checks[3]
    assert holdout.units == 60
    assert holdout.margin == pytest.approx(0.05 * night.base.mean())
    assert None not in (holdout.effect, holdout.low, holdout.high, holdout.power)


def test_a_worse_challenger_is_refused(night: Night) -> None:
    night.evaluated(challenger=0.8)
    verdict = night.verdict()
    assert verdict.action == "keep"
    assert failed(verdict) == ["challenger not worse on held-out users (ndcg@20)"]
    assert "at worst" in verdict.reason


def test_a_challenger_that_forgets_is_refused(night: Night) -> None:
    night.forgot(0.5)
    verdict = night.verdict()
    assert (verdict.action, failed(verdict)) == ("keep", ["no forgetting (loss on past holdouts)"])


@pytest.mark.fault(25)
def test_nothing_remembered_cannot_show_that_nothing_is_forgotten(night: Night) -> None:
    night.forgot(0.0, lists=0)
    verdict = night.verdict()
    assert (verdict.action, failed(verdict)) == ("keep", ["no forgetting (loss on past holdouts)"])


@pytest.mark.fault(25)
def test_too_few_households_are_a_keep(night: Night) -> None:
    night.evaluated(challenger=1.0, users=29)
    verdict = night.verdict()
    assert (verdict.action, failed(verdict)) == ("keep", ["enough held-out users"])
    assert "29 of at least 30" in verdict.reason


@pytest.mark.fault(25)
@pytest.mark.parametrize("users", [0, 1])
def test_nobody_held_out_is_a_keep(night: Night, users: int) -> None:
    night.evaluated(challenger=1.0, users=users)
    verdict = night.verdict()
    assert verdict.action == "keep"
    assert failed(verdict)[0] == "enough held-out users"
    assert "no evidence" in verdict.reason


def test_a_day_on_which_nobody_shopped_adds_no_evidence(night: Night) -> None:
    known = gate.evidence_of(PREDECESSOR, YESTERDAY, night.base, night.base)
    night.remembers(known)
    night.scored()
    night.evaluated(challenger=None, why="the shop was closed")
    assert night.verdict().action == "keep"
    pd.testing.assert_frame_equal(reference.read_frame(night.where / EVIDENCE), known)


@pytest.mark.fault(25)
def test_a_metric_that_is_not_a_number_is_a_keep(night: Night) -> None:
    night.evaluated(challenger=1.0, hole=True)
    verdict = night.verdict()
    assert verdict.action == "keep"
    assert "no evidence" in verdict.reason


@pytest.mark.fault(25)
def test_without_a_challenger_the_reason_is_the_plans(night: Night) -> None:
    night.evaluated(challenger=None, why="the shop was closed")
    verdict = night.verdict()
    assert verdict.action == "keep"
    assert verdict.reason == "there is a challenger: the shop was closed"
    assert verdict.alarms == ()


def test_a_diverged_fit_is_a_keep_with_an_alarm(night: Night) -> None:
    night.evaluated(challenger=None, why="diverged: the loss was NaN at step 3")
    verdict = night.verdict()
    assert verdict.action == "keep"
    assert verdict.alarms == ("the fit diverged: the loss was NaN at step 3",)


def test_drift_that_was_not_evaluated_is_an_alarm(night: Night) -> None:
    night.drifted(evaluated=False)
    assert night.verdict().alarms == ("drift could not be evaluated: so",)


def test_a_champion_worse_than_its_predecessor_goes_back_whatever_the_challenger(
    night: Night,
) -> None:
    night.scored(champion=0.8, predecessor=1.0, anchor=0.8)
    night.evaluated(challenger=1.2)
    verdict = night.verdict()
    assert verdict.action == "roll_back"
    assert verdict.reason.startswith("champion not worse than its predecessor: -0.0")


@pytest.mark.fault(26)
def test_a_line_below_its_anchor_takes_no_new_challenger(night: Night) -> None:
    night.scored(champion=0.8, predecessor=0.8, anchor=1.0)
    verdict = night.verdict()
    assert (verdict.action, failed(verdict)) == ("keep", ["champion not worse than its anchor"])


def test_a_first_champion_is_its_own_predecessor_and_does_not_go_back(night: Night) -> None:
    night.scored(champion=0.8, predecessor=1.0, anchor=1.0)
    verdict = night.verdict(predecessor=PARENT, anchor=PARENT)
    assert verdict.action == "promote"
    assert reference.read_frame(night.where / EVIDENCE).empty


@pytest.mark.fault(25)
def test_a_missing_metric_of_the_champion_never_goes_back(night: Night) -> None:
    night.scored(champion=math.nan, predecessor=1.0, anchor=1.0)
    assert night.verdict().action != "roll_back"


def test_evidence_is_pooled_and_that_of_versions_gone_is_dropped(night: Night) -> None:
    worse = gate.evidence_of(PREDECESSOR, YESTERDAY, night.base * 0.9, night.base)
    gone = gate.evidence_of("d" * 64, YESTERDAY, night.base, night.base)
    long_past = worse.assign(day=str(DAY - dt.timedelta(days=SETTINGS_WINDOW)))
    night.remembers(pd.concat([worse, gone, long_past], ignore_index=True))
    night.verdict()
    pooled = reference.read_frame(night.where / EVIDENCE)
    assert set(pooled["against"]) == {PREDECESSOR, ANCHOR}
    days = pooled.groupby("against")["day"].unique().map(list).to_dict()
    assert days == {PREDECESSOR: [str(YESTERDAY), str(DAY)], ANCHOR: [str(DAY)]}
    mine = pooled[pooled["against"] == PREDECESSOR].groupby("unit")["difference"].sum()
    assert mine["u000"] == pytest.approx(-0.1 * night.base["u000"] - night.noise["u000"])


@pytest.mark.fault(26)
def test_each_look_is_paid_for(night: Night) -> None:
    night.scored(champion=0.97, predecessor=1.0, anchor=0.97)
    bounds = []
    for looks in (0, 1, 20):
        check = night.verdict(looks={"predecessor": looks}).checks[0]
        assert check.looks == looks + 1
        assert check.high is not None
        bounds.append(check.high)
    assert bounds == sorted(bounds)
    assert len(set(bounds)) == 3


def test_the_same_night_again_is_the_same_verdict(night: Night) -> None:
    first = night.verdict()
    files = [night.where / name for name in ("verdict.json", EVIDENCE)]
    content = [file.read_bytes() for file in files]
    assert night.verdict() == first
    assert [file.read_bytes() for file in files] == content


def test_a_handful_of_households_takes_no_champion_back(night: Night) -> None:
    night.scored(champion=0.5, predecessor=1.0, anchor=0.5)
    table = reference.read_frame(night.where / "prequential.parquet")
    few = table[table["unit"].isin(["u000", "u001", "u002"])]
    reference.write_frame(few, night.where / "prequential.parquet")
    verdict = night.verdict()
    assert verdict.action != "roll_back"
    assert "3 are too few" in verdict.checks[0].why


def test_a_metric_that_is_no_number_is_a_keep_for_one_night(night: Night) -> None:
    table = reference.read_frame(night.where / "prequential.parquet")
    table.loc[table["unit"] == "u007", "ndcg@20"] = math.nan
    reference.write_frame(table, night.where / "prequential.parquet")
    verdict = night.verdict()
    assert (verdict.action, failed(verdict)) == ("keep", ["tonight's metrics are numbers"])
    pooled = reference.read_frame(night.where / EVIDENCE)
    assert pooled["difference"].notna().all()
    assert "u007" not in set(pooled["unit"])


def test_a_line_below_its_anchor_raises_an_alarm(night: Night) -> None:
    night.scored(champion=0.8, predecessor=0.8, anchor=1.0)
    verdict = night.verdict()
    assert verdict.action == "keep"
    assert any("anchor" in alarm for alarm in verdict.alarms)
