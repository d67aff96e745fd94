"""Step: bring `data/` to the registry's newest revision, and say which days that changed."""

import logging
from dataclasses import dataclass
from datetime import date

from fsspec.implementations.memory import MemoryFileSystem

from tasks import workspace

log = logging.getLogger(__name__)
NAMED_DAYS = 7  # in a log line; of more, the first and the last


@dataclass(frozen=True)
class Pulled:
    """What a pull brought. A day is changed when any of its partitions is."""

    revision: str
    new: list[date]
    changed: list[date]
    gone: list[date]

    def __str__(self) -> str:
        """The days, for a person: `new 2017-10-02; changed none; gone none`."""
        kinds = {"new": self.new, "changed": self.changed, "gone": self.gone}
        return "; ".join(f"{kind} {_named(days)}" for kind, days in kinds.items())


def pull() -> Pulled:
    """`dvc update data.dvc`.

    Raises:
        MissingRegistryError: there is no registry; the message says how to get one.
    """
    workspace.heal()
    workspace.check_registry()
    before = workspace.data_manifest() if workspace.DATA.exists() else {}
    workspace.update_data()
    # DVC leaves each listing that it hashes there: 400 KB a night after 500 days of history.
    MemoryFileSystem.store.clear()
    pulled = compare(before, workspace.data_manifest(), workspace.data_revision())
    # DVC leaves each listing that it hashed there: 400 KB a night after 500 days of history.
    MemoryFileSystem.store.clear()
    log.info("data is at %s: %s", pulled.revision[:12], pulled)
    return pulled


def compare(before: dict[str, str], after: dict[str, str], revision: str) -> Pulled:
    """The days that differ between two manifests (path inside `data/` -> md5)."""
    old, new = _by_day(before), _by_day(after)
    return Pulled(
        revision=revision,
        new=sorted(new.keys() - old.keys()),
        changed=sorted(day for day in old.keys() & new.keys() if old[day] != new[day]),
        gone=sorted(old.keys() - new.keys()),
    )


def _named(days: list[date]) -> str:
    if len(days) > NAMED_DAYS:
        return f"{days[0]} to {days[-1]} ({len(days)} days)"
    return ", ".join(map(str, days)) or "none"


def _by_day(manifest: dict[str, str]) -> dict[date, dict[str, str]]:
    days: dict[date, dict[str, str]] = {}
    for path, md5 in manifest.items():
        day = date.fromisoformat(path.split("/")[1].removeprefix("date="))
        days.setdefault(day, {})[path] = md5
    return days


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    pull()
