"""Each guard is taken out of a copy of the code; the test that stands for it must then fail.

`make faults` runs this file; its name keeps it from the other runs.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from tasks import git
from tests.line import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.fault(1)]
LEDGER = "tests/tasks/ledger"


@dataclass(frozen=True)
class Mutation:
    """A guard, what is put in its place in a file, and the test that must notice."""

    guard: str
    file: str
    old: str
    new: str
    test: str


MUTATIONS = (
    Mutation(
        "a line moves from the head that was built on",
        "tasks/ledger/commit.py",
        "if (line and line.head) != change.expected_head:",
        "if False:",
        f"{LEDGER}/test_commit.py::test_who_built_on_an_old_head_loses_and_leaves_no_trace",
    ),
    Mutation(
        "compare and set of the line's row",
        "tasks/ledger/commit.py",
        "    if done.rowcount != 1:",
        "    if False:",
        "tests/faults/test_row.py::test_a_row_that_moved_is_not_set",
    ),
    Mutation(
        "the fencing number is checked in the commit",
        "tasks/ledger/lease.py",
        "or row.fencing != lease.fencing:",
        "or False:",
        f"{LEDGER}/test_lease.py::test_a_zombie_with_an_old_number_is_refused_in_every_way",
    ),
    Mutation(
        "a living holder keeps its lease",
        "tasks/ledger/lease.py",
        "if row.expires_at > now and not _is_dead(row):",
        "if False:",
        f"{LEDGER}/test_lease.py::test_a_second_taker_is_told_who_holds_it_and_since_when",
    ),
    Mutation(
        "a process number that was given out again is not the holder",
        "tasks/ledger/lease.py",
        "return apart > CLOCK_SECONDS",
        "return False",
        f"{LEDGER}/test_lease.py::test_another_process_under_the_same_number_is_not_the_holder",
    ),
    Mutation(
        "a day is learned once",
        "tasks/ledger/ledger.py",
        "            committing.refuse_learned(connection, lease.application, day.day)\n",
        "",
        f"{LEDGER}/test_commit.py::test_no_day_is_learned_twice",
    ),
    Mutation(
        "each file's digest is that of the manifest",
        "tasks/bundle.py",
        "if digest != expected.sha256:",
        "if False:",
        "tests/faults/test_bundle_damage.py::test_damage_is_found_named_and_has_a_cure",
    ),
    Mutation(
        "the manifest hashes to the version id",
        "tasks/bundle.py",
        "if manifest.version != version_id(manifest, manifest.files):",
        "if False:",
        "tests/faults/test_bundle_damage.py::test_damage_is_found_named_and_has_a_cure",
    ),
    Mutation(
        "a file is synced before the bundle appears",
        "tasks/bundle.py",
        "    os.fsync(writer.fileno())\n",
        "",
        "tests/faults/test_disk.py::test_a_version_is_on_the_disk_before_it_is_found",
    ),
    Mutation(
        "the manifest is written last",
        "tasks/bundle.py",
        "        manifest = Manifest(**fields",
        '        (draft / MANIFEST).write_bytes(b"")\n        manifest = Manifest(**fields',
        "tests/faults/test_disk.py::test_a_version_is_on_the_disk_before_it_is_found",
    ),
    Mutation(
        "a bundle is read back before the line moves",
        "tasks/version.py",
        "    learners.open_learner(stored.path, params.application(increment.application))\n",
        "",
        "tests/faults/test_disk.py::test_bytes_that_never_reached_the_disk_are_missed",
    ),
    Mutation(
        "what is stored loads before the line moves",
        "tasks/version.py",
        "learners.open_learner(stored.path, params.application(increment.application))",
        "bundle.verify(stored.path)",
        "tests/faults/test_disk.py::test_a_learner_that_saved_nothing_does_not_serve",
    ),
    Mutation(
        "a partition's bytes are those of the data version",
        "tasks/workspace.py",
        "if found != md5:",
        "if False:",
        "tests/tasks/test_workspace.py::test_a_partition_is_read_only_when_its_digest_is_right",
    ),
    Mutation(
        "files that a kill left half-written are put back",
        "tasks/interrupted.py",
        "                _put(Path(name), text)\n",
        "                pass\n",
        "tests/tasks/test_interrupted.py"
        "::test_the_next_block_begins_with_what_was_there_before_the_kill",
    ),
    Mutation(
        "weights that are not finite are not learned",
        "lightning_modules/progress.py",
        "if not bool(torch.isfinite(value)):",
        "if False:",
        "tests/lightning_modules/test_training.py::test_what_is_not_finite_is_refused",
    ),
    Mutation(
        "one unit is no evidence",
        "tasks/gate.py",
        "if len(total) < 2:",
        "if not len(total):",
        "tests/tasks/test_gate.py::test_what_cannot_be_computed_neither_promotes_nor_goes_back",
    ),
    Mutation(
        "a metric that is not a number is no reason to promote",
        "tasks/decide.py",
        "    if values.notna().all():",
        "    if True:",
        "tests/tasks/test_decide.py::test_a_metric_that_is_no_number_is_a_keep_for_one_night",
    ),
    Mutation(
        "the contract refuses what lies on another day",
        "tasks/contract.py",
        'pa.Column(pd.DatetimeTZDtype("us", "UTC"), on_the_day)',
        'pa.Column(pd.DatetimeTZDtype("us", "UTC"))',
        "tests/tasks/test_contract.py::test_the_day_is_the_shops_own",
    ),
    Mutation(
        "a snapshot that is missing is made by the next run",
        "tasks/snapshot.py",
        "            take_snapshot(snapshot)\n",
        "            pass\n",
        "tests/tasks/test_snapshot.py"
        "::test_an_increment_is_shown_to_dvc_and_its_stages_give_the_same_bytes",
    ),
)


def copied(folder: Path) -> Path:
    """The tracked files and those that would be, as they are now."""
    names = git.git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    git.start(folder)
    git.git(folder, "add", "--all")
    return folder


def run(tree: Path, test: str) -> subprocess.CompletedProcess[str]:
    """The test in another tree, by an interpreter of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "--tb=short", test],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree), "DAYSHIFT_DATABASES": "sqlite"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp("mutated"))


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.guard)
def test_a_guard_that_is_taken_out_is_missed(
    mutation: Mutation, tree: Path, record_property: Callable[[str, object], None]
) -> None:
    file = tree / mutation.file
    whole = file.read_text()
    assert whole.count(mutation.old) == 1, f"{mutation.file} has changed: say what to take out"
    file.write_text(whole.replace(mutation.old, mutation.new))
    try:
        done = run(tree, mutation.test)
    finally:
        file.write_text(whole)
    outcome = {0: "passed", 1: "failed"}.get(done.returncode, f"pytest ended {done.returncode}")
    record_property("mutation", asdict(mutation) | {"outcome": outcome})
    assert outcome == "failed", done.stdout
    assert "\nERROR " not in done.stdout, done.stdout  # the test itself, not what it stands on
