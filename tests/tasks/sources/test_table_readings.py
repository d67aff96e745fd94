"""How often a shop's files are read: a folder grows by one each night."""

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from tasks.sources import files, open_source
from tests.shop import write_shop


def test_landing_a_day_reads_each_file_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the day's own once more; what items and users are is not read anew for each day."""
    read = Counter[str]()

    def counted(path: Path, form: files.CsvForm) -> pd.DataFrame:
        read[path.name] += 1
        return files.parse(path, form)

    monkeypatch.setattr("tasks.sources.table.parse", counted)
    source = open_source(write_shop(tmp_path, users=12, items=16, days=4))
    days = source.days()
    source.read_day(days[1])
    own = f"{days[1]}.csv"
    assert read == {f"{day}.csv": 1 for day in days} | {own: 2, "items.csv": 1, "users.csv": 1}
    assert len(list(source.read_days(days))) == 4
    assert (read["items.csv"], read["users.csv"]) == (1, 1)
