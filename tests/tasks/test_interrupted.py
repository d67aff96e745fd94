"""What a kill left half-written is put back."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.interrupted import mend_locks, restorable

KILLED = """
import os, signal, sys
from pathlib import Path
from tasks.interrupted import restorable
place = Path(sys.argv[1])
with restorable(place / "journal.json", [place / "old", place / "new"]):
    (place / "old").write_text("ha")
    (place / "new").write_text("ha")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.fault(1)
def test_the_next_block_begins_with_what_was_there_before_the_kill(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("whole")
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root}
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    killed = subprocess.run(command, env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "old").read_text() == "ha"
    with restorable(tmp_path / "journal.json", []):
        assert (tmp_path / "old").read_text() == "whole"
        assert not (tmp_path / "new").exists()


def test_a_block_that_ended_well_is_not_undone(tmp_path: Path) -> None:
    file = tmp_path / "file"
    for text in ("one", "two"):
        with restorable(tmp_path / "journal.json", [file]):
            file.write_text(text)
    with restorable(tmp_path / "journal.json", []):
        assert file.read_text() == "two"


@pytest.mark.parametrize(("text", "stays"), [('{"a": {}}', True), ("", False), ('{"a"', False)])
def test_half_a_file_of_locks_is_removed(tmp_path: Path, text: str, stays: bool) -> None:
    (tmp_path / "rwlock").write_text(text)
    mend_locks(tmp_path)
    assert (tmp_path / "rwlock").exists() is stays
    mend_locks(tmp_path / "nowhere")
