"""What calls a person, and what ends it."""

import datetime as dt
from collections.abc import Mapping

import pytest
import yaml

from tasks import days, workspace
from tasks.alerts import open_alerts
from tasks.ledger import Ledger
from tasks.params import Params, load_params
from tasks.records import Alert, Plan
from tasks.upkeep import AlertParams
from tests.line import ROOT
from tests.tasks import made_up_nights as made_up
from tests.tasks.made_up_nights import APPLICATION, date, name


@pytest.fixture
def landed(monkeypatch: pytest.MonkeyPatch) -> dict[dt.date, dict[str, str]]:
    """The days that are there, each with rows; to be changed."""
    found: dict[dt.date, dict[str, str]] = {date(n): {"events/": "x"} for n in range(1, 10)}
    monkeypatch.setattr(days, "manifest", dict)
    monkeypatch.setattr(days, "by_day", lambda manifest: found)
    monkeypatch.setattr(days, "has_rows", bool)
    return found


@pytest.fixture
def ledger(tmp_path: object, monkeypatch: pytest.MonkeyPatch, landed: object) -> Ledger:
    monkeypatch.chdir(str(tmp_path))
    workspace.DATA.mkdir()
    return Ledger(f"sqlite:///{workspace.LEDGER}")


def found(
    ledger: Ledger, later: int = 0, closed: tuple[dt.date, ...] = (), **settings: int
) -> list[Alert]:
    """The alerts so many days after the last commit."""
    params: Params = load_params(ROOT / "params.yaml")
    shop = params.shop.model_copy(update={"closed_days": closed})
    usual: Mapping[str, int] = {"stale_days": 14, "kept_nights": 2}
    changed = {"shop": shop, "alerts": AlertParams(**{**usual, **settings})}
    now = dt.datetime.now(dt.UTC) + dt.timedelta(days=later)
    return open_alerts(ledger, APPLICATION, params.model_copy(update=changed), now)


def kinds(alerts: list[Alert]) -> list[str]:
    return [alert.kind for alert in alerts]


def learn(ledger: Ledger, *nights: tuple[int, str]) -> None:
    """Nights one after the other on day 2, each of one action."""
    with ledger.lease(APPLICATION) as lease:
        made_up.start(ledger, lease)
        parent = made_up.HISTORY
        for number, action in nights:
            assert action in ("promote", "keep")
            made_up.learn(ledger, lease, number, action, parent)  # type: ignore[arg-type]
            parent = number


def test_before_the_first_champion_nobody_is_called(ledger: Ledger) -> None:
    assert found(ledger, later=100) == []


def test_a_line_that_goes_on_calls_nobody(ledger: Ledger) -> None:
    learn(ledger, (3, "promote"), (4, "keep"), (5, "promote"), (6, "keep"))
    assert found(ledger) == []


def test_a_day_that_was_set_aside_is_told_for_a_while(ledger: Ledger) -> None:
    made_up.write_nights(ledger)  # day 5 of 9
    (alert,) = found(ledger)
    assert (alert.kind, alert.day) == ("quarantine", date(5))
    assert alert.reason == "column 'quantity' is missing"
    assert "Land it again" in alert.cure
    assert kinds(found(ledger, stale_days=5)) == ["quarantine"]
    assert "quarantine" not in kinds(found(ledger, stale_days=4))


def test_nothing_learned_for_long_by_the_clock(ledger: Ledger) -> None:
    learn(ledger, (3, "promote"))
    assert found(ledger, later=13) == []
    (alert,) = found(ledger, later=14)
    assert (alert.kind, alert.day) == ("stale champion", date(3))
    assert "14 days ago" in alert.reason
    assert "worker" in alert.cure


def test_no_promotion_for_so_many_days_learned(ledger: Ledger) -> None:
    learn(ledger, (3, "promote"), (4, "keep"), (6, "keep"))
    assert "stale champion" not in kinds(found(ledger, stale_days=4))
    alert = found(ledger, stale_days=3)[-1]
    assert (alert.kind, alert.day) == ("stale champion", date(6))
    assert alert.reason == f"the champion of {date(3)} still serves, 3 days learned since"


def test_challengers_refused_in_a_row(ledger: Ledger) -> None:
    learn(ledger, (3, "promote"), (4, "keep"), (5, "keep"), (6, "keep"))
    assert found(ledger, kept_nights=4) == []
    (alert,) = found(ledger, kept_nights=3)
    assert (alert.kind, alert.day) == ("kept nights", date(6))
    assert alert.reason.startswith("3 challengers in a row were refused, the last one: challenger")
    # A night whose plan was to learn nothing refused nobody, and ends no row.
    skip = Plan(action="skip", reasons=("too few rows",))
    skip.write(workspace.ATTACHMENTS / APPLICATION / name(5) / "plan.json")
    assert found(ledger, kept_nights=3) == []
    assert kinds(found(ledger, kept_nights=2)) == ["kept nights"]


def test_a_champion_that_was_taken_back_until_the_next_promotion(ledger: Ledger) -> None:
    made_up.write_nights(ledger)
    made_up.go_back_to(ledger, 7, 8, 9, reason="bad labels")
    alert = next(alert for alert in found(ledger) if alert.kind == "rollback")
    assert alert.reason == "the champion was taken back by operator: bad labels"


def test_a_day_that_others_wait_for(ledger: Ledger, landed: dict[dt.date, dict[str, str]]) -> None:
    learn(ledger, (3, "promote"))
    assert found(ledger) == []
    del landed[date(4)]
    (alert,) = found(ledger)
    assert (alert.kind, alert.day) == ("late data", date(4))
    assert alert.reason == f"{date(4)} was not landed, and the days up to {date(9)} wait for it"
    landed[date(4)] = {}
    assert f"{date(4)} has no rows" in found(ledger)[0].reason
    assert found(ledger, closed=(date(4),)) == []
    del landed[date(5)]
    assert found(ledger, closed=(date(4),))[0].day == date(5)
    with ledger.lease(APPLICATION) as lease:
        for number in (4, 5):
            ledger.quarantine(lease, date(number), "no file", "late")
    assert kinds(found(ledger)) == ["quarantine", "quarantine"]


def test_the_settings_have_bounds_and_defaults() -> None:
    written = yaml.safe_load((ROOT / "params.yaml").read_text())["alerts"]
    assert AlertParams(**written) == AlertParams()
    with pytest.raises(ValueError, match="kept_nights"):
        AlertParams(kept_nights=1)
