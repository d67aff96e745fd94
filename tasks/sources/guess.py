"""A guess at the map of a shop's files, from names and values: for a person to read."""

import csv
import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tasks.sources.canonical import SourceError
from tasks.sources.files import CsvForm, files, numbers, parse

SAMPLE = 5000
# What shops call our columns, the likeliest first; matched against whole words of a name.
NAMES = {
    "event_time": "time timestamp datetime date day at when stamp dt zeit datum uhrzeit sold",
    "user_id": "user customer client visitor member household shopper account buyer kunde cust",
    "item_id": "item product sku article asin upc ean artikel produkt stockcode",
    "session_id": "session basket receipt order invoice transaction visit cart bon rechnung",
    "event_id": "event line row id uuid",
    "event_type": "event type action kind what behavior behaviour",
    "query": "query search keyword term suche",
    "price": "price unitprice preis cost rate",
    "quantity": "quantity qty units count pieces menge anzahl amount",
    "discount": "discount rebate rabatt reduction",
    "channel": "channel store shop branch filiale site",
}
ATTRIBUTES = {
    "item_id": NAMES["item_id"],
    "department": "department division floor abteilung",
    "category": "category categories aisle group class warengruppe",
    "subcategory": "subcategory subclass shelf subgroup",
    "brand": "brand maker manufacturer marke",
}
NUMBERS = ("price", "quantity", "discount")
TELLING = {  # a second word that speaks for or against
    "price": {"unit": 1, "sales": 1, "list": -1, "total": -2},
    "session_id": {"id": 1, "dt": -5, "date": -5, "time": -5},
    "user_id": {"id": 1, "name": -1, "age": -5, "type": -5},
    "item_id": {"id": 1, "name": -1, "subclass": -5, "category": -5, "group": -5, "type": -5},
    "event_id": {"time": -9, "date": -9, "type": -9, "user": -9, "customer": -9, "item": -9},
    "event_type": {"time": -9, "date": -9, "id": -9},
    "quantity": {"paid": -5, "total": -5},
    "category": {"age": -25, "customer": -25, "user": -25},
}


def guess(data: Path, time_zone: str) -> dict[str, Any]:
    """The `shop.source` settings of kind table that the files at `data` seem to want.

    Raises SourceError where no time or no user can be found in them.
    """
    events, tables = _sort_out(data)
    form = _form_of(events[0])
    sample = parse(events[0], form).head(SAMPLE)
    form = _numbers_of(sample, form)
    columns = _columns(sample, form, events[0])
    form = form.model_copy(update={"day_first": _day_first(sample[columns["event_time"]])})
    source: dict[str, Any] = {
        "kind": "table",
        "events": str(data.resolve() if len(events) > 1 else events[0].resolve()),
        "columns": columns,
        "time_zone": time_zone,
    }
    if "event_type" not in columns:
        source["event_type"] = "purchase"
    if used := form.model_dump(exclude_defaults=True):
        source["csv"] = used
    if rules := _rules(sample, columns, form):
        source["rows"] = rules
    source |= tables
    if "items" not in source and len(events) == 1:
        grouped = _match(sample, ATTRIBUTES)
        if "item_id" in columns and len(grouped) > 1:
            grouped["item_id"] = columns["item_id"]
            source["items"] = {"file": source["events"], "columns": grouped}
    if "items" in source:
        _name_a_category(source["items"]["columns"])
    return source


def _name_a_category(columns: dict[str, str]) -> None:
    """The one grouping that a shop has is its category, too: behavior is learned by categories."""
    for level in ("subcategory", "department"):
        if level in columns:
            columns.setdefault("category", columns[level])


def _sort_out(data: Path) -> tuple[list[Path], dict[str, Any]]:
    """The files of events, and maps for files that say what items and users are."""
    found = files(data)
    tables: dict[str, Any] = {}
    for path in found if len(found) > 1 else []:
        for table, key, names in (("items", "item_id", ATTRIBUTES), ("users", "user_id", {})):
            words = set(_words(path.name.split(".")[0]))
            if words & set(NAMES[key].split() + [f"{w}s" for w in NAMES[key].split()]):
                head = parse(path, _form_of(path)).head(SAMPLE)
                columns = _match(head, names or {"user_id": NAMES["user_id"]})
                if key in columns:
                    tables[table] = {"file": str(path.resolve()), "columns": columns}
    used = {Path(about["file"]) for about in tables.values()}
    events = [path for path in found if path.resolve() not in used]
    if tables and len({path.parent for path in events}) > 1:
        raise SourceError(f"{data}: events lie in several folders. Name the one with the events")
    return events or found, tables


def _form_of(path: Path) -> CsvForm:
    """Encoding and delimiter of a CSV, by its first lines."""
    if not path.name.endswith(".csv"):
        return CsvForm()
    from charset_normalizer import from_bytes

    raw = b"".join(islice(path.open("rb"), 2000))
    try:
        raw.decode("utf-8")
        encoding = "utf-8-sig" if raw.startswith(b"\xef\xbb\xbf") else "utf-8"
    except UnicodeDecodeError:
        best = from_bytes(raw).best()
        encoding = best.encoding if best else "cp1252"
    text = raw.decode(encoding, errors="replace")
    try:
        delimiter = csv.Sniffer().sniff("\n".join(text.splitlines()[:50]), ",;\t|").delimiter
    except csv.Error:
        delimiter = ","
    return CsvForm(delimiter=delimiter, encoding=encoding)


def _numbers_of(sample: pd.DataFrame, form: CsvForm) -> CsvForm:
    """Which of 1,234.50 and 1.234,50 the shop writes: by the columns with such names."""
    likely = [c for c in sample if set(_words(str(c))) & _names_of(NUMBERS)]
    texts = pd.concat([sample[c].dropna().astype("str") for c in likely] or [pd.Series(dtype=str)])
    point = texts.str.fullmatch(r"-?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?")
    comma = texts.str.fullmatch(r"-?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?")
    if (comma & ~point).sum() > (point & ~comma).sum():
        dotted = texts.str.contains(".", regex=False).any()
        return form.model_copy(update={"decimal": ",", "thousands": "." if dotted else ""})
    grouped = texts[point].str.contains(",", regex=False).any()
    return form.model_copy(update={"thousands": "," if grouped else ""})


def _columns(sample: pd.DataFrame, form: CsvForm, path: Path) -> dict[str, str]:
    """Our columns -> theirs, those whose values bear the name out."""
    found = _match(sample, NAMES)
    for name in NUMBERS:
        if name in found:
            values = numbers(sample[found[name]], form)
            if (pd.to_numeric(values, errors="coerce").isna() & values.notna()).any():
                del found[name]
    if "event_id" in found and not sample[found["event_id"]].is_unique:
        del found["event_id"]
    for name in ("event_time", "user_id"):
        if name not in found:
            raise SourceError(
                f"{path}: none of its columns ({', '.join(map(str, sample))}) looks like "
                f"{name}. Write shop.source by hand: docs/how-to/your-data.md"
            )
    return {name: found[name] for name in NAMES if name in found}


def _match(sample: pd.DataFrame, names: dict[str, str]) -> dict[str, str]:
    """The best column for each of our names, each column once; the surest choice first."""
    scored = sorted(
        (
            (-_score(name, words.split(), str(column)), order, name, str(column))
            for order, (name, words) in enumerate(names.items())
            for column in sample.columns
        ),
    )
    found: dict[str, str] = {}
    for score, _, name, column in scored:
        fits = name != "event_time" or _are_times(sample[column])
        if score < 0 and name not in found and column not in found.values() and fits:
            found[name] = column
    return found


def _score(name: str, known: Sequence[str], column: str) -> float:
    words = _words(column)
    hits = [20 - known.index(word) for word in words if word in known]
    if not hits or (words == ["id"] and name != "event_id"):
        return 0
    extra = sum(TELLING.get(name, {}).get(word, 0) for word in words)
    return max(hits) + extra - 0.25 * (len(words) - 1)


def _words(column: str) -> list[str]:
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", column)
    words = [word for word in re.split(r"[^a-zäöüß]+", spaced.lower()) if word]
    return words + ["".join(words)] * (len(words) > 1)


def _names_of(columns: Sequence[str]) -> set[str]:
    return {word for name in columns for word in NAMES[name].split()}


def _are_times(values: "pd.Series[Any]") -> bool:
    if pd.api.types.is_numeric_dtype(values.dtype):
        return False
    if values.dropna().astype("str").str.fullmatch(r"\d+([.,]\d+)?").any():
        return False
    return bool(pd.to_datetime(values.head(200), errors="coerce", format="mixed").notna().all())


def _day_first(stamps: "pd.Series[Any]") -> bool:
    """Whether 13 or more ever stands before the month's place."""
    parts = stamps.astype("str").str.extract(r"^(\d{1,2})[./-](\d{1,2})[./-]\d{2,4}").dropna()
    if parts.empty:
        return False
    first, second = parts[0].astype(int).max(), parts[1].astype(int).max()
    dots = stamps.astype("str").str.contains(r"^\d{1,2}\.\d{1,2}\.", regex=True).all()
    return bool(first > 12 or (second <= 12 and dots))


def _rules(sample: pd.DataFrame, columns: dict[str, str], form: CsvForm) -> dict[str, str]:
    rules = {}
    users = sample[columns["user_id"]]
    if (users.isna() | (users.astype("str").str.strip() == "")).any():
        rules["without_user"] = "drop"
    if "event_id" not in columns and sample.duplicated().any():
        rules["duplicates"] = "drop"
    if "quantity" in columns:
        values = pd.to_numeric(numbers(sample[columns["quantity"]], form), errors="coerce")
        if (values < 0).any():
            rules["negative_quantity"] = "return"
        if {"item_id", "price"} <= columns.keys() and _are_of_lines(sample, columns, form):
            rules["price"] = "line"
    return rules


def _are_of_lines(sample: pd.DataFrame, columns: dict[str, str], form: CsvForm) -> bool:
    """Whether n pieces of an item mostly cost nearer to n times the price of one than to it.

    Asks for ten lines that can tell: those of items which are also sold by the piece.
    """
    price, pieces = (
        pd.to_numeric(numbers(sample[columns[name]], form), errors="coerce")
        for name in ("price", "quantity")
    )
    lines = pd.DataFrame({"item": sample[columns["item_id"]], "price": price, "pieces": pieces})
    lines = lines[(lines["price"] > 0) & (lines["pieces"] > 0)]
    one = lines[lines["pieces"] == 1].groupby("item")["price"].median()
    several = lines[(lines["pieces"] > 1) & lines["item"].isin(one.index)]
    ratio = several["price"] / several["item"].map(one)
    return len(several) >= 10 and bool((ratio > np.sqrt(several["pieces"])).mean() > 0.5)
