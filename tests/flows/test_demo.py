"""What the demo says of a first champion that cannot be made."""

import subprocess
from typing import Any

import pytest

from flows import demo


@pytest.mark.parametrize(
    ("code", "said", "told"),
    [
        (0, "12:00 | INFO | tasks - held-out users: +0.1", "recommendation, 0 s: held-out users"),
        (0, "", "recommendation, 0 s: there already"),
        (1, "ValueError: no category", "recommendation, 0 s: failed\nValueError: no category"),
    ],
)
def test_what_came_of_a_bootstrap_is_said_at_once(
    code: int, said: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    ended = subprocess.CompletedProcess([], code, "", said)
    monkeypatch.setattr("subprocess.run", lambda *_, **__: ended)
    assert demo._start_line("recommendation") == (code == 0)
    assert told in capsys.readouterr().out
