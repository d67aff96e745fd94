"""Write docs/reference/params.md from the types that read params.yaml: `make docs`."""

import dataclasses
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docstring_parser import parse
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lightning_modules.behavior.settings import Settings as Behavior
from lightning_modules.pricing.settings import Settings as Pricing
from lightning_modules.recommendation.settings import Settings as Recommendation
from tasks.params import ApplicationParams, ShopParams

PAGE = Path(__file__).with_name("reference") / "params.md"
LEARNERS = {"recommendation": Recommendation, "behavior": Behavior, "pricing": Pricing}
BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
HEAD = "| setting | type | default | meaning |\n|---|---|---|---|\n"
INTRODUCTION = """# params.yaml

What a person turns, as the types say that read it (`make docs` writes this page, a test compares
them). A setting that is unknown, of another type or out of bounds is refused by name before
anything runs. A setting without a default must be in the file.
"""


def page() -> str:
    """The whole page."""
    learners = "".join(
        f"\n## applications.{name}.settings\n\n{HEAD}{''.join(_learner(kind))}"
        for name, kind in LEARNERS.items()
    )
    return (
        INTRODUCTION
        + "".join(_section("shop", ShopParams))
        + "".join(_section("applications.<name>", ApplicationParams))
        + learners
    )


def _section(name: str, model: type[BaseModel]) -> Iterator[str]:
    """A table of the plain settings, then one for each group of settings below it."""
    groups = {f: k for f, field in model.model_fields.items() if (k := _group(field))}
    rows = [
        _row(field, _type(about), _default(about), about.description or "")
        for field, about in model.model_fields.items()
        if field not in groups
    ]
    about = " ".join((model.__doc__ or "").split("\n\n")[0].split())
    yield f"\n## {name}\n\n{about}\n"
    if rows:
        yield f"\n{HEAD}{''.join(rows)}"
    for field, kind in groups.items():
        yield from _section(f"{name}.{field}", kind)


def _group(field: FieldInfo) -> type[BaseModel] | None:
    for kind in (field.annotation, *typing.get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _learner(settings: type[Any]) -> Iterator[str]:
    meaning = {param.arg_name: param.description or "" for param in parse(settings.__doc__).params}
    for field in dataclasses.fields(settings):
        made = field.default_factory
        default = field.default if made is dataclasses.MISSING else made()
        yield _row(field.name, _named(field.type), repr(default), meaning[field.name])


def _row(name: str, kind: str, default: str, meaning: str) -> str:
    cells = (f"`{name}`", f"`{kind}`", default and f"`{default}`", " ".join(meaning.split()))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _type(field: FieldInfo) -> str:
    bounds = [
        f"{sign} {getattr(part, bound)}"
        for part in field.metadata
        for bound, sign in BOUNDS.items()
        if hasattr(part, bound)
    ]
    return ", ".join([_named(field.annotation), *bounds])


def _named(kind: Any) -> str:
    plain = isinstance(kind, type) and not typing.get_args(kind)
    name = kind.__name__ if plain else str(kind).replace("typing.", "")
    return name.replace("datetime.", "").replace("NoneType", "None")


def _default(field: FieldInfo) -> str:
    return "" if field.is_required() else repr(field.default)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
