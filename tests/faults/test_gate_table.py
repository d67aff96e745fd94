"""Every combination of what a night may lack: promoted only where nothing is."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tasks.made import Night

State = Callable[[Night], None]
SOUND = "sound"

CHALLENGER: dict[str, State] = {
    SOUND: lambda night: night.evaluated(challenger=1.0),
    "none": lambda night: night.evaluated(None, why="a reason"),
    "diverged": lambda night: night.evaluated(None, why="diverged: nan"),
    "worse": lambda night: night.evaluated(challenger=0.8),
    "no unit held out": lambda night: night.evaluated(challenger=1.0, users=0),
    "one unit": lambda night: night.evaluated(challenger=1.0, users=1),
    "too few": lambda night: night.evaluated(challenger=1.0, users=20),
    "a metric that is none": lambda night: night.evaluated(challenger=1.0, hole=True),
}
PAST: dict[str, State] = {
    SOUND: lambda night: night.forgot(0.0),
    "forgotten": lambda night: night.forgot(0.9),
    "nothing remembered": lambda night: night.forgot(0.0, lists=0),
    "one list": lambda night: night.forgot(0.0, lists=1),
    "a loss that is none": lambda night: night.forgot(float("nan")),
}
CHAMPION: dict[str, State] = {
    SOUND: lambda night: night.scored(champion=1.0, predecessor=1.0, anchor=1.0),
    "nobody shopped": lambda night: night.scored(),
    "below the anchor": lambda night: night.scored(champion=0.8, predecessor=0.8, anchor=1.0),
    "a metric that is none": lambda night: night.scored(
        champion=float("nan"), predecessor=1.0, anchor=1.0
    ),
}
# Nobody shopped: there is nothing to hold against the champion; the challenger has its own units.
HARMLESS = {SOUND, "nobody shopped"}


ALL = list(itertools.product(CHALLENGER, PAST, CHAMPION))
ONE = [names for names in ALL if names.count(SOUND) >= 2]


def check(combinations: list[tuple[str, str, str]], folder: Path) -> None:
    promoted = []
    for number, names in enumerate(combinations):
        (folder / str(number)).mkdir()
        night = Night(folder / str(number))
        challenger, past, champion = names
        CHALLENGER[challenger](night)
        PAST[past](night)
        CHAMPION[champion](night)
        verdict = night.verdict()
        assert verdict.action in ("keep", "promote"), names  # no predecessor is shown to be better
        if verdict.action == "promote":
            promoted.append(names)
            assert all(check.passed for check in verdict.checks)
        else:
            assert verdict.reason != "every check passed", names
    assert set(promoted) == {(SOUND, SOUND, champion) for champion in HARMLESS}


@pytest.mark.fault(25)
def test_any_one_lack_fails_closed(tmp_path: Path) -> None:
    check(ONE, tmp_path)


@pytest.mark.slow
@pytest.mark.fault(25)
def test_all_combinations_fail_closed(tmp_path: Path) -> None:
    assert len(ALL) == 160
    check(ALL, tmp_path)


@pytest.mark.fault(25)
def test_a_tie_to_the_last_bit_is_no_loss(tmp_path: Path) -> None:
    night = Night(tmp_path)
    night.noise[:] = 0.0
    night.scored(champion=1.0, predecessor=1.0, anchor=1.0)
    night.evaluated(challenger=1.0)
    assert night.verdict().action == "promote"
