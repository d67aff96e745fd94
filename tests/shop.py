"""A small made-up shop with habits worth learning, written as the files its owner would export."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np
import pandas as pd

from tasks import git

FIRST_DAY = date(2024, 1, 1)
GROUPS = ("dairy", "bread", "fruit", "soap", "tea", "pasta", "snacks", "paper")
COLUMNS = {
    "event_id": "line",
    "event_time": "sold_at",
    "event_type": "what",
    "user_id": "customer",
    "session_id": "receipt",
    "item_id": "sku",
    "price": "unit_price",
    "quantity": "units",
    "discount": "rebate",
    "channel": "branch",
}

PIPELINE = """\
vars: [increments.json]
stages:
  judge:
    foreach: ${increments}
    do:
      cmd: python -c "open('increments/${key}/verdict.json', 'w').write('${item.day}')"
      deps:
        - increments/${key}/parent
        - ${item.events}
      outs:
        - increments/${key}/verdict.json
"""


class Faults(TypedDict, total=False):
    """What may be wrong with some days' files."""

    omit: Collection[date]
    leave_out: Mapping[date, str]
    duplicate: Collection[date]


def write_shop(
    folder: Path,
    *,
    users: int = 60,
    items: int = 80,
    days: int = 40,
    seed: int = 7,
    first_day: date = FIRST_DAY,
    drift: date | None = None,
    **faults: Unpack[Faults],
) -> dict[str, Any]:
    """Write the shop under `folder`, a CSV a day; the answer is its `shop.source` settings.

    From `drift` on prices double and everyone's taste moves to other items. A day in `omit` has
    no file; one in `leave_out` lacks that column (theirs, such as `sku`); one in `duplicate` has
    every line twice. The same arguments write the same bytes.
    """
    (folder / "events").mkdir(parents=True, exist_ok=True)
    shelf = _shelf(items)
    habits = _habits(users, items, seed)
    for number in range(days):
        day = first_day + timedelta(days=number)
        rng = np.random.default_rng([seed, number])
        lines = _day(day, number, habits, shelf, rng, drifted=drift is not None and day >= drift)
        if day in faults.get("omit", ()):
            continue
        if day in faults.get("duplicate", ()):
            lines = pd.concat([lines, lines])
        if day in faults.get("leave_out", {}):
            lines = lines.drop(columns=faults["leave_out"][day])
        lines.to_csv(folder / "events" / f"{day}.csv", index=False)
    shelf.drop(columns="list_price").to_csv(folder / "items.csv", index=False)
    customers = [f"u{user:03d}" for user in range(users)]
    ages = ["under 40" if user % 2 else "40 and over" for user in range(users)]
    pd.DataFrame({"customer": customers, "age": ages}).to_csv(folder / "users.csv", index=False)
    return shop_settings(folder)


def shop_settings(folder: Path) -> dict[str, Any]:
    """The `shop.source` settings of a shop that `write_shop` wrote."""
    return {
        "kind": "table",
        "events": str(folder / "events"),
        "columns": dict(COLUMNS),
        "time_zone": "Europe/Berlin",
        "items": {
            "file": str(folder / "items.csv"),
            "columns": {
                "item_id": "sku",
                "department": "floor",
                "category": "aisle",
                "subcategory": "shelf",
                "brand": "maker",
            },
        },
        "users": {
            "file": str(folder / "users.csv"),
            "columns": {"user_id": "customer", "age": "age"},
        },
    }


def _shelf(items: int) -> pd.DataFrame:
    group = [GROUPS[item % len(GROUPS)] for item in range(items)]
    return pd.DataFrame(
        {
            "sku": [f"i{item:03d}" for item in range(items)],
            "floor": ["household" if g in ("soap", "paper") else "food" for g in group],
            "aisle": group,
            "shelf": group,
            "maker": ["own" if item % 3 else "famous" for item in range(items)],
            "list_price": [1.0 + item % 7 for item in range(items)],
        }
    )


def _habits(users: int, items: int, seed: int) -> list[list[tuple[int, int]]]:
    """Each user's favourites as (item, visits between two purchases); popular items come first."""
    rng = np.random.default_rng(seed)
    weight = 1.0 / (np.arange(items) + 5.0)
    habits = []
    for _ in range(users):
        chosen = rng.choice(items, size=min(8, items), replace=False, p=weight / weight.sum())
        habits.append([(int(item), int(rng.integers(1, 4))) for item in chosen])
    return habits


def _day(
    day: date,
    number: int,
    habits: list[list[tuple[int, int]]],
    shelf: pd.DataFrame,
    rng: np.random.Generator,
    *,
    drifted: bool,
) -> pd.DataFrame:
    # New items reach the shelf over the first 30 days, so that a vocabulary has to grow.
    on_sale = min(len(shelf), len(shelf) * (number + 20) // 40)
    opening = datetime(day.year, day.month, day.day, 8)
    lines = []
    for user, favourites in enumerate(habits):
        if (number + user) % 3 and rng.random() > 0.15:
            continue  # most come every third day
        visit = number // 3
        bought = [item for item, every in favourites if (visit + item) % every == 0]
        if drifted:
            bought = [(item + len(shelf) // 2) % len(shelf) for item in bought]
        bought.append(int(rng.integers(on_sale)))  # and something never tried before
        at = opening + timedelta(seconds=int(rng.integers(13 * 3600)))
        for item in dict.fromkeys(item for item in bought if item < on_sale):
            rebate = 0.1 if rng.random() < 0.2 else 0.0
            price = float(shelf["list_price"].iloc[item]) * (2.0 if drifted else 1.0)
            lines.append((user, item, at, price, 1 + int(rng.random() < 0.2), rebate))
    frame = pd.DataFrame(lines, columns=["user", "item", "at", "unit_price", "units", "rebate"])
    return pd.DataFrame(
        {
            "line": [f"{day}-{line:04d}" for line in range(len(frame))],
            "sold_at": frame["at"].astype("str"),
            "what": "purchase",
            "customer": [f"u{user:03d}" for user in frame["user"]],
            "receipt": [f"{day}-{user:03d}" for user in frame["user"]],
            "sku": [f"i{item:03d}" for item in frame["item"]],
            "unit_price": frame["unit_price"],
            "units": frame["units"],
            "rebate": frame["rebate"],
            "branch": "centre",
        }
    )


def write_project(folder: Path) -> None:
    """A small project under Git and DVC that imports its data from a registry, as ours does."""
    root = Path(__file__).parents[1]
    for name in (".dvc/config", ".dvc/.gitignore", ".dvcignore", ".gitignore", "data.dvc"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text((root / name).read_text())
    (folder / "increments.json").write_text('{"increments": {}}\n')
    (folder / "dvc.yaml").write_text(PIPELINE)
    git.start(folder)
    git.commit_as_of(folder, "a project", FIRST_DAY)
