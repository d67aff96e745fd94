"""What a record is: frozen, checked, one JSON file."""

import json
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A frozen value that is also a file; unknown fields and NaN are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def read(cls, path: Path) -> Self:
        """The record in the file; raises pydantic's ValidationError where it does not fit."""
        return cls.model_validate_json(path.read_bytes())

    def write(self, path: Path) -> Self:
        """Write as sorted JSON in one atomic replacement; the same record is the same bytes."""
        write_json(path, self.model_dump(mode="json"))
        return self


def write_json(path: Path, value: object) -> None:
    """Replace `path` by `value` as sorted, indented JSON; a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".draft")
    draft.write_text(json.dumps(value, sort_keys=True, indent=2, allow_nan=False) + "\n")
    draft.replace(path)
