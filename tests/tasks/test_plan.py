"""The plan, as a table: what the night finds and what it does then."""

from pathlib import Path

import pytest

from tasks.plan import ROWS
from tasks.records import Learn, Plan
from tests.tasks.made import METRIC, increment, params
from tests.tasks.made_evening import Evening, before, days

LEVEL = 0.05 / 21  # of a night, as params.yaml has it
LOSS = f"champion's {METRIC}"


@pytest.fixture
def night(tmp_path: Path) -> Evening:
    return Evening(tmp_path)


def unusual(made: Plan) -> set[str]:
    return {signal.name for signal in made.signals if signal.unusual}


@pytest.mark.parametrize(
    ("rows", "closed", "drift", "only_on_drift", "action", "reasons"),
    [
        (500, False, "still", False, "fine_tune", ["500 new rows, not drifted"]),
        (500, False, "moved", False, "fine_tune", ["500 new rows, drifted"]),
        (500, False, "moved", True, "fine_tune", ["500 new rows, drifted"]),
        (500, False, "still", True, "skip", ["no drift"]),
        (200, False, "still", False, "fine_tune", ["200 new rows"]),
        (199, False, "moved", False, "skip", ["199 rows are fewer than plan.min_rows = 200"]),
        (500, False, "unknown", False, "skip", ["drift could not be evaluated (it is unknown)"]),
        (0, True, "still", False, "skip", ["the shop was closed"]),
        (9, False, "unknown", True, "skip", ["9 rows are fewer", "drift could not be evaluated"]),
    ],
)
def test_what_the_night_finds_decides_what_it_does(
    night: Evening,
    rows: int,
    closed: bool,
    drift: str,
    only_on_drift: bool,
    action: str,
    reasons: list[str],
) -> None:
    night.validated(rows, closed=closed)
    night.drifted(drift)
    night.remembers(())  # of no past day nothing is unusual
    made = night.plan(params(plan={"min_rows": 200, "only_on_drift": only_on_drift}))
    assert made.action == action
    assert len(made.reasons) == len(reasons)
    for said, expected in zip(made.reasons, reasons, strict=True):
        assert expected in said


def test_a_day_like_the_others_is_not_unusual(night: Evening) -> None:
    night.drifted("still", price=0.4, hour=0.9)
    made = night.plan()
    assert made.level == pytest.approx(LEVEL)
    assert {signal.name for signal in made.signals} == {
        "drift of price",
        "drift of hour",
        ROWS,
        LOSS,
    }
    assert not made.alarm


@pytest.mark.parametrize(
    ("p", "alarm"), [(LEVEL / 3 * 0.99, True), (LEVEL / 3 * 1.01, False), (LEVEL, False)]
)
def test_every_thing_watched_is_paid_for(night: Evening, p: float, alarm: bool) -> None:
    night.drifted("still", price=p)  # beside the loss and the number of rows
    made = night.plan()
    assert made.alarm is alarm
    assert ("unusual: drift of price is 0.3, 0.02 is usual" in " ".join(made.reasons)) is alarm


@pytest.mark.parametrize("higher", [True, False])
def test_a_loss_that_rises_is_unusual_and_one_that_falls_is_not(
    night: Evening, higher: bool
) -> None:
    for metric, worse in ((0.2, higher), (0.4, not higher)):
        night.scored(metric, higher=higher)
        made = night.plan()
        assert unusual(made) == ({LOSS} if worse else set())
        (found,) = (signal for signal in made.signals if signal.name == LOSS)
        assert found.today == metric
        assert found.usual == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize("rows", [250, 1000])
def test_too_many_and_too_few_rows_are_unusual(night: Evening, rows: int) -> None:
    night.validated(rows)
    made = night.plan()
    assert unusual(made) == {ROWS}
    assert made.action == "fine_tune"


def test_unless_it_is_turned_on_an_alarm_changes_nothing(night: Evening) -> None:
    quiet = night.plan()
    night.drifted("still", price=1e-12)
    night.scored(0.1, predecessor=0.2)
    night.validated(2000)
    night.remembers(days(1, 2, 3, 4), fitted=before(400))
    made = night.plan()
    assert unusual(made) == {"drift of price", LOSS, ROWS}
    for field in ("action", "start", "changes"):
        assert getattr(made, field) == getattr(quiet, field)
    usual = increment().update
    assert made.update(usual) is usual


def test_the_rate_answers_to_how_strong_the_drift_is(night: Evening) -> None:
    settings = params(plan={"on_alarm": {"rate": 3.0, "replay": 2.0}})
    usual = increment().update
    rates = []
    for p in (0.5, 1e-3, 3e-4, 1e-5, 1e-30):
        night.drifted("still", price=p)
        made = night.plan(settings)
        update = made.update(usual)
        assert update.embedding_learning_rate / usual.embedding_learning_rate == pytest.approx(
            update.learning_rate / usual.learning_rate
        )
        assert update.batch_size == usual.batch_size
        rates.append(update.learning_rate / usual.learning_rate)
    assert rates[:2] == [1.0, 1.0]
    assert rates == sorted(rates)
    assert 1 < rates[2] < rates[3] < 3
    assert rates[4] == pytest.approx(3)
    assert update.replay == 2 * usual.replay
    assert "rates times 3.00 (plan.on_alarm.rate = 3)" in made.reasons
    assert "replay times 2.00 (plan.on_alarm.replay = 2)" in made.reasons


def test_a_rate_stays_one_that_an_update_may_have(night: Evening) -> None:
    night.drifted("still", price=0.0)
    usual = increment().update.model_copy(update={"learning_rate": 0.05})
    made = night.plan(params(plan={"on_alarm": {"rate": 10.0}}), update=usual)
    assert made.update(usual).learning_rate == 0.1


def test_an_odd_number_of_rows_keeps_more_and_learns_no_faster(night: Evening) -> None:
    night.validated(2000)
    made = night.plan(params(plan={"on_alarm": {"rate": 3.0, "replay": 2.0}}))
    assert set(made.changes) == {"replay"}


def test_a_full_fit_grows_old(night: Evening) -> None:
    on = params(plan={"full_retrain_days": 28})
    night.remembers(days(), fitted=before(27))
    assert night.plan(on).action == "fine_tune"
    night.remembers(days(), fitted=before(28))
    made = night.plan(on)
    assert made.action == "full_retrain"
    assert "the last full fit was 28 days ago, plan.full_retrain_days = 28" in made.reasons
    assert night.plan().action == "fine_tune"
    night.remembers(days())  # an older release has not noted it
    assert night.plan(on).action == "full_retrain"
    night.validated(3)
    assert night.plan(on).action == "skip"


def test_many_alarms_end_in_a_full_retrain(night: Evening) -> None:
    on = params(plan={"full_retrain_alarms": 3})
    night.drifted("still", price=1e-9)
    night.remembers(days(2, 5), fitted=before(6))
    assert night.plan(on).action == "full_retrain"
    night.remembers(days(2, 5), fitted=before(5))  # the first of the two was answered
    assert night.plan(on).action == "fine_tune"
    night.remembers(days(2, 5, 6), fitted=before(9))
    night.drifted("still", price=0.5)  # and tonight nothing is unusual
    assert night.plan(on).action == "fine_tune"


@pytest.mark.parametrize("learn", ["skip", "fine_tune", "full_retrain"])
def test_an_operators_choice_stands_over_the_plan(night: Evening, learn: Learn) -> None:
    night.validated(150)
    made = night.plan(learn=learn)
    assert made.action == learn
    assert any(f"an operator chose {learn.replace('_', ' ')}" in said for said in made.reasons)
    night.validated(0, closed=True)
    made = night.plan(learn=learn)
    assert (made.action, made.reasons) == ("skip", ("the shop was closed",))
