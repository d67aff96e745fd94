"""Another process, which shares nothing with this one but files."""

import subprocess
import sys
from datetime import date
from pathlib import Path


def learned_elsewhere(kind: type, shop: str, bundle: Path, day: date, out: Path) -> None:
    """Load what lies in `bundle`, learn a day by the `learn` of a made-up shop, save to `out`.

    `shop` is the module of tests that has `learn` and the SETTINGS of the learner's `kind`.
    """
    code = (
        "from datetime import date; from pathlib import Path;"
        f"from {kind.__module__} import {kind.__name__} as L;"
        f"from {shop} import SETTINGS, learn;"
        f"learner = L.load(Path({str(bundle)!r}), SETTINGS);"
        f"learn(learner, date.fromisoformat({str(day)!r}));"
        f"out = Path({str(out)!r}); out.mkdir(); learner.save(out)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
