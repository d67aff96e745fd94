"""Going back, by an operator's flow and by the gate in the middle of a catch-up."""

import json
from pathlib import Path

import pytest
import yaml

from tasks import bundle
from tests.line import APPLICATION, Place, land_days, nth
from tests.runs import ROLLBACK, Flows, experiments

pytestmark = pytest.mark.slow
LEARNER = ("model", "learner", "state", "replay")
# Learns to rank last what will be bought: worse by far, on any machine, than whom it replaced.
RUINOUS = """
from lightning_modules.recommendation.network import Ranker
loss = Ranker.loss
Ranker.loss = lambda self, batch: -loss(self, batch)
from flows.daily import daily_increment
daily_increment(update={"epochs": 10, "learning_rate": 0.01, "embedding_learning_rate": 0.01})
"""


def files(path: Path) -> dict[str, bytes]:
    """A bundle, byte for byte."""
    return {file.name: file.read_bytes() for file in path.iterdir()}


def ancestors(place: Place) -> list[str]:
    """The line's versions by day: the first one, then those of its days."""
    chain = [place.line.head]
    while parent := bundle.read_manifest(place.bundle(chain[0])).parent:
        chain.insert(0, parent)
    return chain


def outcomes(place: Place) -> list[str]:
    """The fate of each day after history."""
    fates = place.ledger.fates(APPLICATION)
    return [str(entry.action or entry.outcome) for day, entry in fates.items() if day >= nth(1)]


def test_all_is_back_and_the_days_are_learned_again(caught_up: Place, flows: Flows) -> None:
    before, shown = caught_up.line, experiments(caught_up.root)
    first, one, two, *_ = ancestors(caught_up)
    kept = files(caught_up.bundle(two))
    done = flows.run("-c", ROLLBACK % f"'a bad week', 'relearn', to_version='{two[:12]}'")
    assert done.code == 0, done.said
    line = caught_up.line
    assert (line.head, line.day, line.anchor) == (two, nth(2), first)
    assert files(caught_up.head) == kept
    assert set(kept) >= {f"{name}.safetensors" for name in LEARNER} | {"vocabulary.json"}
    assert json.loads(kept["cursor.json"])["day"] == str(nth(2))
    assert outcomes(caught_up)[2:] == ["rewound", "rewound"]
    parent = Path("increments") / APPLICATION / "parent"
    assert bundle.verify(parent, version=one)  # the workspace shows the day gone back to
    flows.learn()
    again = caught_up.line
    assert again.head == before.head
    assert (again.champion, again.predecessor, again.day) == (
        before.champion,
        before.predecessor,
        before.day,
    )
    assert experiments(caught_up.root) == shown
    assert flows.dvc("status", "--quiet") == ""


def test_days_since_are_kept_in_the_state_alone(caught_up: Place, flows: Flows) -> None:
    head = files(caught_up.head)
    _, _, two, *_ = ancestors(caught_up)
    target = files(caught_up.bundle(two))
    land_days(caught_up, 5)
    done = flows.run("-c", ROLLBACK % f"'too keen', to_version='{two}', days_since='keep'")
    assert done.code == 0, done.said
    now = files(caught_up.head)
    for name in ("model.safetensors", "learner.safetensors"):
        assert now[name] == target[name]
    for name in ("state.safetensors", "replay.safetensors", "vocabulary.json", "cursor.json"):
        assert now[name] == head[name]
    assert outcomes(caught_up)[2:] == ["keep", "keep"]
    flows.learn()
    assert caught_up.line.day == nth(5)
    assert len(outcomes(caught_up)) == 5


def test_days_since_are_set_aside(caught_up: Place, flows: Flows) -> None:
    _, _, two, *_ = ancestors(caught_up)
    land_days(caught_up, 5)
    done = flows.run("-c", ROLLBACK % f"'poisoned', to_version='{two}', days_since='quarantine'")
    assert done.code == 0, done.said
    flows.learn()
    assert outcomes(caught_up)[2:4] == ["quarantined", "quarantined"]
    assert (caught_up.line.day, bundle.verify(caught_up.head).parent) == (nth(5), two)


def test_a_way_that_is_none_moves_nothing(caught_up: Place, flows: Flows) -> None:
    truth = caught_up.ledger.contents()
    done = flows.run("-c", ROLLBACK % "'a slip', 'relearn', to_version='abc'")
    assert done.code != 0
    assert "'abc' is not one version of this line" in done.said
    assert caught_up.ledger.contents() == truth


def open_the_gate(place: Place) -> None:
    """Let any challenger through, so that only the days after it can tell."""
    path = place.root / "params.yaml"
    params = yaml.safe_load(path.read_text())
    gate = params["applications"][APPLICATION]["gate"]
    gate |= {"margin": 1000.0, "forgetting_margin": 1000.0}
    path.write_text(yaml.safe_dump(params, sort_keys=False))


@pytest.mark.fault(27)
def test_a_bad_champion_is_taken_back_and_the_catch_up_ends(place: Place, flows: Flows) -> None:
    open_the_gate(place)
    land_days(place, 5, 6, 7, 8)
    done = flows.run("-c", RUINOUS)
    # A ruined champion is below the anchor as well: a person is told.
    assert done.code == 0 or "anchor no longer holds" in done.said, done.said
    assert place.line.day == nth(8)
    served = [(entry.action, entry.day) for entry in place.ledger.champions(APPLICATION)]
    assert served[1:3] == [("promote", nth(1)), ("roll_back", nth(2))], served
    check = [entry for entry in place.ledger.history(APPLICATION) if entry.action == "roll_back"]
    assert "champion not worse than its predecessor" in check[0].reason
    taken = [
        entry for entry in place.ledger.history(APPLICATION) if "was taken back" in entry.reason
    ]
    assert (taken[0].day, taken[0].sequence) == (nth(1), check[0].sequence)
    assert len(outcomes(place)) == 8
    assert "rewound" not in outcomes(place)
    back = place.bundle(check[0].version or "")
    assert bundle.verify(back).kind == "rolled back"
    first = place.bundle(place.line.anchor)
    for name in ("model.safetensors", "learner.safetensors"):
        assert (back / name).read_bytes() == (first / name).read_bytes()
    flows.learn()
    assert place.line.day == nth(8)
