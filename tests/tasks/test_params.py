"""params.yaml is read in one place and says which number does not fit."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from lightning_modules.recommendation.settings import FINE_TUNE
from tasks.limits import Limits
from tasks.params import (
    BootstrapParams,
    DriftParams,
    GateParams,
    Params,
    PlanParams,
    ShopParams,
    UnknownApplicationError,
    load_params,
)
from tasks.update import UpdateSettings

FILE = Path(__file__).parents[2] / "params.yaml"


def content() -> dict[str, Any]:
    return dict(yaml.safe_load(FILE.read_text()))


def test_the_projects_own_file_is_good() -> None:
    params = load_params(FILE)
    assert params.shop.time_zone == "America/New_York"
    assert params.shop.closed_days == (dt.date(2017, 12, 25),)
    assert params.application("recommendation").gate.alpha == 0.05


def test_a_setting_has_one_value_if_nobody_sets_it() -> None:
    usual = load_params(FILE).application("recommendation").fine_tune
    assert UpdateSettings() == usual
    told = usual.model_dump(exclude_none=True)
    both = told.keys() & FINE_TUNE.keys()
    assert {name: told[name] for name in both} == {name: FINE_TUNE[name] for name in both}
    assert {"learning_rate", "batch_size", "replay"} <= both


def test_every_setting_says_what_it_is() -> None:
    for section in (ShopParams, DriftParams, PlanParams, GateParams, BootstrapParams):
        assert all(field.description for field in section.model_fields.values()), section


def test_the_files_policies_and_limits_are_the_usual_ones() -> None:
    shop = load_params(FILE).shop
    assert shop.limits == Limits()
    assert (shop.on_quarantine, shop.on_correction) == ("go_on", "ignore")
    assert all(field.description for field in Limits.model_fields.values())


def test_an_unknown_application_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownApplicationError, match=r"no application 'pricy'; it has: .*recomm"):
        load_params(FILE).application("pricy")


@pytest.mark.parametrize(
    ("section", "field", "value"),
    [
        ("gate", "alpha", 0.7),
        ("gate", "margin", -0.1),
        ("gate", "min_units", 1),
        ("plan", "min_rows", 0),
        ("drift", "share_threshold", 1.5),
        ("bootstrap", "check_days", 0),
        ("fine_tune", "learning_rate", 0),
        ("fine_tune", "epochs", 51),
        ("gate", "marign", 0.1),
    ],
)
def test_a_number_that_does_not_fit_is_named(section: str, field: str, value: float) -> None:
    changed = content()
    changed["applications"]["recommendation"][section][field] = value
    with pytest.raises(ValidationError, match=rf"recommendation\.{section}\.{field}"):
        Params.model_validate(changed)


def test_a_learner_is_named_by_module_and_class() -> None:
    changed = content()
    changed["applications"]["recommendation"]["learner"] = "lightning_modules.recommendation"
    with pytest.raises(ValidationError, match="learner"):
        Params.model_validate(changed)


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "../etc/passwd"])
def test_a_time_zone_must_be_one(zone: str) -> None:
    changed = content()
    changed["shop"]["time_zone"] = zone
    with pytest.raises((ValidationError, LookupError), match=zone.split("/")[-1]):
        Params.model_validate(changed)


def test_a_replay_starts_on_a_day_of_its_own() -> None:
    params = load_params(FILE)
    moved = params.starting(dt.date(2017, 11, 5))
    assert moved.shop.history_until == dt.date(2017, 11, 5)
    assert moved.shop.closed_days == params.shop.closed_days
    assert params.shop.history_until == dt.date(2017, 10, 1)


def test_a_replay_has_nobody_to_ask() -> None:
    told = content()
    told["applications"]["recommendation"]["gate"]["approval"] = "wait"
    asking = Params.model_validate(told)
    assert asking.application("recommendation").gate.approval == "wait"
    replay = asking.starting(dt.date(2017, 11, 5))
    assert replay.application("recommendation").gate.approval == "none"


def test_a_preset_stands_over_the_section() -> None:
    large = {"settings": {"width": 64}, "fine_tune": {"precision": "bf16-mixed"}}
    told = content()
    usual = Params.model_validate(told).application("recommendation")
    told["applications"]["recommendation"] |= {"presets": {"large": large}, "preset": "large"}
    found = Params.model_validate(told).application("recommendation")
    assert found.settings == usual.settings | {"width": 64}
    assert found.fine_tune.precision == "bf16-mixed"
    assert found.fine_tune.epochs == usual.fine_tune.epochs
    told["applications"]["recommendation"]["preset"] = "huge"
    with pytest.raises(ValidationError, match="no preset 'huge'; there are: default, large"):
        Params.model_validate(told)
