"""Which ids a saved learner knows, from the file that all of ours keep them in."""

import json
from pathlib import Path

FILE = "vocabulary.json"
OF_COLUMN = {"users": "user_id", "items": "item_id", "item_ids": "item_id"}


def known_ids(directory: Path) -> dict[str, set[str]]:
    """The ids that have a row, by the events' column; of a learner without the file none."""
    try:
        found = json.loads((directory / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    ids = {}
    for name in OF_COLUMN.keys() & found.keys():
        told = found[name]  # a list where no row ever expires
        ids[OF_COLUMN[name]] = set(told if isinstance(told, list) else told["ids"]) - {None, ""}
    return {column: names for column, names in ids.items() if names}
