"""The first champion: from history, shown to beat counting, or there is no line."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from tasks import bundle, days, gate, learners, reference, workspace
from tasks.attempt import fresh_folder
from tasks.bootstrap import NoHistoryError, WeakChampionError, bootstrap
from tasks.cursor import Cursor
from tasks.ledger import Line, LostLineError
from tasks.params import Params
from tasks.version import EVIDENCE
from tests.line import APPLICATION, HISTORY_DAYS, HISTORY_UNTIL, Place, open_copy, start_line
from tests.shop import FIRST_DAY


def started(place: Place, params: Params) -> Line:
    with place.ledger.lease(APPLICATION) as lease:
        where = fresh_folder(APPLICATION)
        return bootstrap(place.ledger, lease, APPLICATION, params, where)


def with_bootstrap(params: Params, **settings: Any) -> Params:
    section = params.application(APPLICATION)
    changed = section.bootstrap.model_copy(update=settings)
    section = section.model_copy(update={"bootstrap": changed})
    return params.model_copy(update={"applications": {APPLICATION: section}})


def test_history_becomes_one_version_that_serves(place: Place) -> None:
    line = place.line
    assert line.head == line.champion == line.anchor
    assert (line.predecessor, line.sequence) == (None, 1)
    assert line.day == HISTORY_UNTIL - dt.timedelta(days=1)
    fates = place.ledger.fates(APPLICATION)
    assert list(fates) == [FIRST_DAY + dt.timedelta(days=day) for day in range(HISTORY_DAYS)]
    assert {(fate.outcome, fate.action, fate.version) for fate in fates.values()} == {
        ("learned", "first", line.head)
    }
    (champion,) = place.ledger.champions(APPLICATION)
    assert (champion.version, champion.actor) == (line.head, "bootstrap")
    assert "30 days of history" in champion.reason


def test_its_bundle_holds_all_that_the_first_night_needs(place: Place) -> None:
    manifest = bundle.verify(place.head, application=APPLICATION, version=place.line.head)
    assert (manifest.kind, manifest.parent, manifest.predecessor) == ("first", None, None)
    assert list(manifest.partitions) == ["history"]
    cursor = Cursor.read(place.head)
    assert (cursor.day, cursor.looks, cursor.fitted) == (place.line.day, {}, place.line.day)
    assert reference.read_frame(place.head / EVIDENCE).equals(gate.no_evidence())
    settings = place.params.application(APPLICATION).drift
    window = reference.read(place.head)
    assert window["day"].nunique() == settings.reference_days
    assert window["day"].max() == str(place.line.day)
    assert [day.day for day in cursor.past] == sorted(
        map(dt.date.fromisoformat, set(window["day"]))
    )
    # No day of the small shop has more rows than the reference keeps of it.
    assert [day.rows for day in cursor.past] == window.groupby("day").size().to_list()
    learner = learners.open_learner(place.head, place.params.application(APPLICATION))
    assert 0 < len(learner.frozen()) <= 40


def test_the_scores_of_its_check_days_are_those_of_held_out_lists_on_their_own_day(
    place: Place,
) -> None:
    section = place.params.application(APPLICATION)
    window = reference.read(place.head)
    judge = learners.learner_class(section).new(section.settings)
    judge.load_parameters(place.head)
    first_test = HISTORY_UNTIL - dt.timedelta(days=section.bootstrap.check_days)
    for day, files in days.by_day(workspace.data_manifest()).items():
        if day >= HISTORY_UNTIL:
            break
        pin = place.due().model_copy(update={"day": day, "partitions": files})
        today = learners.read_day(pin)
        found = set(window.loc[window["day"] == str(day), "score"].dropna())
        seen = judge.examples(today) if day >= first_test else None
        expected = set()
        if seen is not None:
            tests = seen.take(learners.held_out(seen, section.holdout_share))
            expected = set(judge.unit_scores(tests, judge.scores(tests)))
            assert 0 < len(expected) < len(seen)
        assert found == expected
        judge.absorb(today, None, None)


@pytest.mark.fault(32)
def test_the_same_history_is_the_same_version(
    template: Path, empty_template: Path, tmp_path: Path
) -> None:
    (known,) = (template / "var" / "bundles" / APPLICATION).iterdir()
    with open_copy(empty_template, tmp_path / "elsewhere") as elsewhere:
        assert start_line(elsewhere).head == known.name


def test_a_champion_that_is_not_shown_to_beat_counting_does_not_serve(empty_place: Place) -> None:
    untaught = {"batch_size": 512, "epochs": 1, "learning_rate": 1e-9}
    params = with_bootstrap(empty_place.params, days=8, fit=untaught)
    with pytest.raises(WeakChampionError, match=r"lower bound -.*bootstrap\.days.*params\.yaml"):
        started(empty_place, params)
    assert empty_place.ledger.line(APPLICATION) is None


@pytest.mark.parametrize("until", [FIRST_DAY, FIRST_DAY + dt.timedelta(days=6)])
def test_without_enough_history_the_numbers_to_turn_are_named(
    empty_place: Place, until: dt.date
) -> None:
    with pytest.raises(NoHistoryError, match=rf"history_until = {until} .*check_days is 6"):
        started(empty_place, empty_place.params.starting(until))
    assert empty_place.ledger.line(APPLICATION) is None


def test_a_line_is_started_once(place: Place) -> None:
    before = place.ledger.contents()
    with pytest.raises(LostLineError):
        started(place, place.params)
    assert place.ledger.contents() == before
