"""The places in a day's sessions whose item is to be foretold, each with what came before it."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lightning_modules.hashing import list_keys, mixed
from lightning_modules.learner import ShopDay
from lightning_modules.recommendation.lists import spans
from lightning_modules.recommendation.offers import WHOLE_SHOP
from lightning_modules.recommendation.purchases import counted
from lightning_modules.recommendation.settings import SessionSettings
from lightning_modules.recommendation.tables import Ints

SESSION_SALT = np.uint64(0x73657373696F6E)


@dataclass(frozen=True)
class Places:
    """L places of sessions, those of one session side by side, and R rows of what came before.

    `session` (L,) names the session and `keys` (L,) its day; `target` (L,) is the item that comes,
    and `channel` (L,) where the session was until then. `before` (L,) counts the rows of each
    place, at most `prefix` of the settings. Row by row, place after place: `owner` (R,) is the
    place, `item` (R,) an item before it and `ago` (R,) how many items back that was, from 1.
    Items are positions in `item_ids`, which are all that the day has.
    """

    session: NDArray[np.object_]
    keys: NDArray[np.uint64]
    target: Ints
    channel: NDArray[np.object_]
    before: Ints
    owner: Ints
    item: Ints
    ago: Ints
    item_ids: list[str]


def as_sessions(day: ShopDay) -> ShopDay:
    """The day with each session as a user: its `session_id`, or else the user's day."""
    events = day.events
    name = events["user_id"].astype(object) + f" {day.day}"
    if "session_id" in events:
        name = events["session_id"].astype(object).where(events["session_id"].notna(), name)
    return replace(day, events=events.assign(user_id=name.astype("str")))


def session_places(day: ShopDay, settings: SessionSettings) -> Places:
    """Some places of some of the day's sessions, both chosen by hash.

    A session is in the order of `event_time`, at one time in that of the rows. Its first item is
    no place: nothing came before.
    """
    rows = counted(as_sessions(day).events, settings.event_types)
    session, names = pd.factorize(rows["user_id"], sort=True)
    time = rows["event_time"].to_numpy() if "event_time" in rows else np.zeros(len(rows))
    order = np.lexsort((time, session))
    rows, session = rows.iloc[order], session[order].astype(np.int64)
    item, item_ids = pd.factorize(rows["item_id"], sort=True)
    at = _drawn(session, day.day, np.asarray(names, object), settings)
    before = np.minimum(at - np.searchsorted(session, session[at]), settings.prefix)
    row = spans(at - before, before)
    name = np.asarray(names, object)[session[at]]
    owner = np.repeat(np.arange(len(at)), before)
    return Places(
        session=name,
        keys=list_keys(day.day, name.tolist()),
        target=item[at].astype(np.int64),
        channel=_channels(rows)[at - 1],
        before=before,
        owner=owner,
        item=item[row].astype(np.int64),
        ago=at[owner] - row,
        item_ids=np.asarray(item_ids, object).tolist(),
    )


def _drawn(
    session: Ints, day: date, names: NDArray[np.object_], settings: SessionSettings
) -> Ints:
    """The rows of the drawn places, ascending; `session` (n,) is sorted."""
    keys = list_keys(day, names.tolist())
    lengths = np.bincount(session, minlength=len(names))
    several = np.flatnonzero(lengths > 1)
    luck = mixed(keys[several] ^ SESSION_SALT)
    chosen = several[np.argsort(luck, kind="stable")[: settings.sessions_a_day]]
    place = np.arange(len(session)) - np.searchsorted(session, session)
    at = np.flatnonzero(np.isin(session, chosen) & (place > 0))
    luck = mixed(keys[session[at]] ^ mixed(place[at].astype(np.uint64)))
    at = at[np.lexsort((luck, session[at]))]
    rank = np.arange(len(at)) - np.searchsorted(session[at], session[at])
    return np.sort(at[rank < settings.positions])


def _channels(rows: pd.DataFrame) -> NDArray[np.object_]:
    if "channel" not in rows:
        return np.full(len(rows), WHOLE_SHOP, object)
    names = rows["channel"].astype(object)
    return np.asarray(names.where(names.notna(), WHOLE_SHOP), object)
