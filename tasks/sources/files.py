"""Files of rows as shops export them: CSV in any dress, or Parquet."""

import logging
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import Field

from tasks.record import Record
from tasks.sources.canonical import SourceError

log = logging.getLogger(__name__)
KINDS = (".csv", ".csv.gz", ".csv.zip", ".tsv", ".parquet")


class CsvForm(Record):
    """How the CSV files are written."""

    delimiter: str = Field(default=",", min_length=1, description="Between columns.")
    encoding: str = Field(default="utf-8", description="As Python names it, such as cp1252.")
    decimal: str = Field(default=".", min_length=1, max_length=1, description="In 1.5.")
    thousands: str = Field(default="", max_length=1, description="In 1,000; none if empty.")
    day_first: bool = Field(default=False, description="Whether 02/03/2024 is in March.")


class RowRules(Record):
    """What becomes of rows that are no events as they stand; what is left out is counted aloud."""

    without_user: Literal["refuse", "drop"] = Field(
        default="refuse", description="A row without a user."
    )
    duplicates: Literal["keep", "drop"] = Field(
        default="keep", description="A row that is the same as another one of its file."
    )
    negative_quantity: Literal["keep", "return"] = Field(
        default="keep", description='"return": an event of that type, with a quantity above zero.'
    )
    price: Literal["unit", "line"] = Field(
        default="unit",
        description='What the price is of. "line": of all pieces, and is divided by the quantity.',
    )


def files(place: Path) -> list[Path]:
    """The file, or all files of a known kind below the folder; raises SourceError if none."""
    found = [place] if place.is_file() else sorted(p for p in place.rglob("*") if is_known(p))
    if not found:
        raise SourceError(
            f"{place}: no file that ends in {', '.join(KINDS)} there. Correct shop.source.events"
        )
    return found


def is_known(path: Path) -> bool:
    """Whether it is a file of a known kind."""
    return path.name.endswith(KINDS) and path.is_file()


def parse(path: Path, form: CsvForm) -> pd.DataFrame:
    """All rows: of a CSV as text, as written. Raises SourceError."""
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path, use_threads=False, partitioning=None)
        delimiter = "\t" if path.suffix == ".tsv" else form.delimiter
        return pd.read_csv(path, dtype="str", sep=delimiter, encoding=form.encoding)
    except (OSError, ValueError, LookupError) as error:  # parse errors are ValueErrors
        raise SourceError(
            f"{path}: not readable as {path.suffix[1:]}: {error}. Correct shop.source.csv or the "
            "file"
        ) from error


def numbers(column: "pd.Series[Any]", form: CsvForm) -> "pd.Series[Any]":
    """A column of numbers as Python writes them; other columns than text are left alone."""
    if not pd.api.types.is_string_dtype(column.dtype):
        return column
    plain = column.str.strip()
    if form.thousands:
        plain = plain.str.replace(form.thousands, "", regex=False)
    if form.decimal != ".":
        plain = plain.str.replace(form.decimal, ".", regex=False)
    return plain.mask(plain == "")


def settle(path: Path, rows: pd.DataFrame, rules: RowRules) -> pd.DataFrame:
    """Canonical rows as the rules want them; says how many were left out or changed."""
    if rules.duplicates == "drop":
        rows = _without(path, rows, rows.duplicated(), "are there twice")
    if rules.without_user == "drop" and "user_id" in rows:
        nobody = rows["user_id"].isna() | (rows["user_id"].str.strip() == "")
        rows = _without(path, rows, nobody, "have no user")
    if rules.price == "line" and {"price", "quantity"} <= set(rows.columns):
        rows = rows.assign(price=_of_one_piece(rows))
    if rules.negative_quantity == "return" and {"quantity", "event_type"} <= set(rows.columns):
        back = rows["quantity"] < 0
        rows = rows.assign(
            event_type=rows["event_type"].mask(back, "return"), quantity=rows["quantity"].abs()
        )
    return rows


def _of_one_piece(rows: pd.DataFrame) -> "pd.Series[float]":
    """The line's price by its quantity; none for none. What is returned may count below zero."""
    pieces = rows["quantity"].mask(rows["quantity"] == 0)
    price: pd.Series[float] = rows["price"].mask(pieces < 0, rows["price"].abs()) / pieces.abs()
    return price


def _without(path: Path, rows: pd.DataFrame, which: "pd.Series[bool]", why: str) -> pd.DataFrame:
    if which.any():
        log.warning("%s: %d of %d rows %s and are left out", path, which.sum(), len(rows), why)
    return rows[~which]
