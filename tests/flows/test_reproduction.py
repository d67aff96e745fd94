"""What a flow has made, DVC makes again, byte for byte, and an earlier increment too."""

import json
from pathlib import Path

import pytest

from tasks import workspace
from tasks.attempt import SIDE_FILES
from tasks.records import Fit, Prequential
from tests.line import APPLICATION, Place, land_days, nth
from tests.runs import Flows, contents

pytestmark = pytest.mark.slow
INCREMENT = workspace.INCREMENTS / APPLICATION


def made(folder: Path) -> dict[str, str]:
    """Digests of what the stages made, and of nothing else that lies beside it."""
    beside = (
        "parent",
        "predecessor",
        "anchor",
        "head",
        ".gitignore",
        "increment.json",
        "card.md",
        *SIDE_FILES,
    )
    return contents(folder, leave_out=beside)


def attached(place: Place, number: int) -> dict[str, str]:
    """The same of the version that learned a day."""
    version = place.ledger.fates(APPLICATION)[nth(number)].version
    return made(workspace.ATTACHMENTS / APPLICATION / str(version))


def test_a_flow_leaves_nothing_for_dvc_to_do(caught_up: Place, flows: Flows) -> None:
    assert "up to date" in flows.dvc("status")
    lock, outs = workspace.DVC_LOCK.read_bytes(), made(INCREMENT)
    assert outs == attached(caught_up, 4)
    assert "Running stage" not in flows.dvc("repro")
    said = flows.dvc("repro", "--force")
    for step in ("validate", "prequential", "drift", "plan", "fine_tune", "evaluate", "decide"):
        assert f"Running stage '{step}@{APPLICATION}'" in said
    assert workspace.DVC_LOCK.read_bytes() == lock
    assert made(INCREMENT) == outs
    assert "up to date" in flows.dvc("status")


def test_compiled_code_is_no_change(caught_up: Place, flows: Flows) -> None:
    (caught_up.root / "lightning_modules/__pycache__").mkdir(exist_ok=True)
    (caught_up.root / "lightning_modules/__pycache__/other.pyc").write_bytes(b"compiled anew")
    assert "up to date" in flows.dvc("status")


def test_an_earlier_increment_is_rebuilt_bit_for_bit(caught_up: Place, flows: Flows) -> None:
    names = [f"{APPLICATION}-{nth(number)}" for number in (1, 2, 3, 4)]
    assert all(name in flows.dvc("exp", "list", "-A") for name in names)
    table = flows.dvc("exp", "show", "-A", "--csv")
    assert all(name in table for name in names)
    flows.dvc("exp", "apply", names[1])
    flows.dvc("pull")
    for path in INCREMENT.glob("*.json"):
        path.unlink()
    flows.dvc("repro", "--force")
    assert made(INCREMENT) == attached(caught_up, 2)
    assert (INCREMENT / "challenger" / "model.safetensors").exists()
    assert "up to date" in flows.dvc("status")
    land_days(caught_up, 5)
    flows.learn()
    assert caught_up.line.day == nth(5)
    assert made(INCREMENT) == attached(caught_up, 5)
    assert "up to date" in flows.dvc("status")


def test_a_full_retrain_by_an_operators_choice_is_rebuilt_too(
    caught_up: Place, flows: Flows
) -> None:
    land_days(caught_up, 5)
    said = flows.learn("learn='full_retrain'")
    assert "an operator chose full retrain" in said
    fit = Fit.read(INCREMENT / "challenger" / "fit.json")
    assert fit.learned
    assert fit.again > fit.lists > 0
    lock, outs = workspace.DVC_LOCK.read_bytes(), made(INCREMENT)
    assert outs == attached(caught_up, 5)
    assert "up to date" in flows.dvc("status")
    flows.dvc("repro", "--force")
    assert made(INCREMENT) == outs
    assert workspace.DVC_LOCK.read_bytes() == lock
    land_days(caught_up, 6)
    flows.learn()
    assert Fit.read(INCREMENT / "challenger" / "fit.json").again == 0
    flows.dvc("exp", "apply", f"{APPLICATION}-{nth(5)}")  # its past is not all that is landed now
    flows.dvc("pull")
    flows.dvc("repro", "--force")
    assert made(INCREMENT) == outs


def test_a_lost_cache_comes_back_from_the_remote(caught_up: Place, flows: Flows) -> None:
    """A team-mate has the code, the registry and the remotes, and none of our files."""
    lock = workspace.DVC_LOCK.read_bytes()
    outs = made(INCREMENT)
    flows.run("-c", "import shutil; shutil.rmtree('.dvc/cache'); shutil.rmtree('data')")
    flows.run("-c", f"import shutil; shutil.rmtree('{INCREMENT}/parent')")
    flows.dvc("pull", "--force")
    assert "Running stage" not in flows.dvc("repro")
    assert workspace.DVC_LOCK.read_bytes() == lock
    assert made(INCREMENT) == outs


def test_nights_are_compared_by_dvc_s_own_commands(caught_up: Place, flows: Flows) -> None:
    first, last = (f"{APPLICATION}-{nth(number)}" for number in (1, 4))
    metric = f"{INCREMENT}/prequential.json"
    found = json.loads(flows.dvc("metrics", "diff", first, last, "--json"))[metric]
    scored = Prequential.read(INCREMENT / "prequential.json")
    assert found["champion.ndcg@20"]["new"] == scored.champion["ndcg@20"]
    assert found["day"] == {"old": str(nth(1)), "new": str(nth(4))}
    table = flows.dvc("exp", "show", "--csv")
    assert all(f"{APPLICATION}-{nth(number)}" in table for number in (1, 2, 3, 4))
    said = flows.dvc("plots", "diff", first, last, "--json")
    plots = json.loads(said[said.index("{") :])["data"]  # before it: there are no other learners
    (plot,) = plots[f"{APPLICATION}, learning curve"]
    assert set(plot["revisions"]) == {first, last}
