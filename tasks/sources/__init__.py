"""Where a shop's days come from: one module per kind of source, the same frames from each."""

from typing import Any

from pydantic import ValidationError

from tasks.sources.canonical import TABLES, DayFrames, Source, SourceError
from tasks.sources.pseudonyms import Pseudonymised, key_check, user_key

__all__ = ["TABLES", "DayFrames", "Source", "SourceError", "key_check", "open_source"]


def open_source(settings: dict[str, Any]) -> Source:
    """The source that `settings` (params.yaml, `shop.source`) names by its `kind`.

    With `pseudonymise: true` its people have pseudonyms instead of their ids.

    Raises:
        SourceError: the kind is unknown, a setting is missing or misspelt, or there is no key.
    """
    rest = dict(settings)
    kind, hide = rest.pop("kind", None), rest.pop("pseudonymise", False)
    if hide is not True and hide is not False:
        raise SourceError("params.yaml: shop.source.pseudonymise is true or false")
    source = _open(kind, rest)
    return Pseudonymised(source, user_key()) if hide else source


def _open(kind: Any, rest: dict[str, Any]) -> Source:
    try:
        if kind == "complete_journey":
            from tasks.sources.complete_journey import CompleteJourney

            return CompleteJourney(**rest)
        if kind == "table":
            from tasks.sources.table import TableSource

            return TableSource(**rest)
        if kind == "ta_feng":
            from tasks.sources.ta_feng import TaFeng

            return TaFeng(**rest)
    except (
        TypeError,
        ValidationError,
    ) as error:  # an unknown or missing keyword: say it in the reader's words
        raise SourceError(f"params.yaml: shop.source of kind {kind!r}: {error}") from error
    raise SourceError(
        f"params.yaml: shop.source.kind is {kind!r}; "
        "it is 'complete_journey', 'table' or 'ta_feng'"
    )
