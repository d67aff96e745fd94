"""People under pseudonyms: a keyed hash in place of each id, before anything is written.

The key is in the environment alone. The same key makes the same pseudonyms, so a shop that keeps
it finds its users again: `python -m tasks.sources.pseudonyms` puts the ids of standard input, one
a line, beside theirs. Without it nobody can, nor try out ids until one fits.
"""

import hmac
import os
import sys
from collections.abc import Iterator
from datetime import date

import pandas as pd

from tasks.sources.canonical import SEPARATOR, DayFrames, Source, SourceError, ordered

KEY = "DAYSHIFT_USER_KEY"
SHORTEST = 32  # characters: one that can be tried out is none
DIGITS = 32  # of the pseudonym, hexadecimal: no two of any shop's users have the same
# A session is one person's, and an event's id may be a hash of the whole row, the user in it.
PERSONAL = ("user_id", "session_id", "event_id")


def user_key() -> bytes:
    """The key; raises SourceError, which says how to make one."""
    key = os.environ.get(KEY, "")
    if len(key) < SHORTEST:
        state = "is too short" if key else "is not set"
        raise SourceError(
            f"params.yaml asks for pseudonyms (shop.source.pseudonymise), but {KEY} {state}: set "
            f"it to {SHORTEST} characters or more, the same ones for ever. To make one, once: "
            "python -c 'import secrets; print(secrets.token_hex(32))'"
        )
    return key.encode()


def pseudonym(key: bytes, identity: str) -> str:
    """HMAC-SHA256, its first half; no id stays no id, so that the contract finds it."""
    return identity and hmac.digest(key, identity.encode(), "sha256").hex()[:DIGITS]


class Pseudonymised:
    """A source whose people have pseudonyms; items, prices and times are as they were."""

    def __init__(self, source: Source, key: bytes) -> None:
        self._source = source
        self._key = key

    @property
    def key_check(self) -> str:
        """What tells this key from another one, and does not give it away."""
        return pseudonym(self._key, f"{SEPARATOR}which key is this")

    def days(self) -> list[date]:
        """As the source has them."""
        return self._source.days()

    def read_day(self, day: date) -> DayFrames:
        """One day, under pseudonyms."""
        return self._hidden(self._source.read_day(day))

    def read_days(self, days: list[date]) -> Iterator[tuple[date, DayFrames]]:
        """The days in the order given, under pseudonyms."""
        return ((day, self._hidden(frames)) for day, frames in self._source.read_days(days))

    def _hidden(self, frames: DayFrames) -> DayFrames:
        users = self._without_ids(frames.users)
        if "user_id" in users:  # in the order of the ids, as before
            users = users.sort_values("user_id", kind="stable", ignore_index=True)
        events = ordered(self._without_ids(frames.events))
        return DayFrames(events, frames.items, users, frames.prices)

    def _without_ids(self, rows: pd.DataFrame) -> pd.DataFrame:
        hidden = {}
        for name in (name for name in PERSONAL if name in rows):
            known = {one: pseudonym(self._key, str(one)) for one in rows[name].dropna().unique()}
            hidden[name] = rows[name].astype("str").map(known, na_action="ignore").astype("str")
        return rows.assign(**hidden)


def key_check(source: Source) -> str | None:
    """Which key a source's people are hidden by; None where their ids are as they were."""
    return source.key_check if isinstance(source, Pseudonymised) else None


if __name__ == "__main__":
    for line in sys.stdin:
        print(f"{line.rstrip()}\t{pseudonym(user_key(), line.rstrip())}")
