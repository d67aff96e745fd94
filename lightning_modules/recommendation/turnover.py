"""Users and items that come and go: one vocabulary for state, memory and parameters.

When a row changes hands, all that hangs on it goes: counters, pairs, promotions, baskets, replayed
and frozen lists, weights, moments. What is counted of the whole shop stays.
"""

import numpy as np

from lightning_modules.generations import begun, cleared
from lightning_modules.parameters import Parameters
from lightning_modules.recommendation.lists import without
from lightning_modules.recommendation.memory import Memory
from lightning_modules.recommendation.state import ShopState
from lightning_modules.recommendation.tables import ITEM_BITS, Ints, item_of
from lightning_modules.vocabulary import UNKNOWN_GROUP, Vocabulary

USER_TABLE = "user.weight"
ITEM_TABLE = "item.weight"
ITEM_BIAS = "bias.weight"


def admit_items(
    names: Vocabulary, state: ShopState, groups: dict[str, str], bought: list[str], day: int
) -> None:
    """Take note of the day's items: those told by the catalogue, with their groups, and bought.

    A group becomes known when the catalogue tells it; until the item has a row, `names` keeps it.
    """
    names.groups.admit([UNKNOWN_GROUP])
    names.groups.admit(sorted(set(groups.values())))
    seen = [*groups, *bought]
    names.items.see(seen, day)
    kept = {name: names.group_of.pop(name) for name in seen if name in names.group_of}
    told = {**kept, **groups}
    here = {name: group for name, group in told.items() if name in names.items.row_of}
    names.group_of.update({name: group for name, group in told.items() if name not in here})
    state.items.grow(len(names.items))
    state.items.group[names.items.find(here)] = names.groups.find(here.values())


def end_day(names: Vocabulary, state: ShopState, memory: Memory, day: int) -> bool:
    """Let go of users and items that stayed away for too long; says whether there were any."""
    item_ids = names.items.ids()
    users, items = names.users.end_day(day), names.items.end_day(day)
    of_group = names.groups.ids()
    for row in items:
        names.group_of[item_ids[row]] = str(of_group[state.items.group[row]])
    if names.group_of:
        rowless = names.items.counted.keys() | names.items.gone.keys()
        names.group_of = {n: g for n, g in names.group_of.items() if n in rowless}
    if len(users) + len(items) == 0:
        return False
    _forget(state, users, items, (len(names.users), len(names.items)))
    for part in ("replay", "frozen"):
        lists = getattr(memory, part)
        known = ~np.isin(lists.users, users), ~np.isin(lists.items, items)
        setattr(memory, part, without(lists, *known))
    return True


def _forget(state: ShopState, users: Ints, items: Ints, sizes: tuple[int, int]) -> None:
    """Drop what is counted of these rows; the tables of users and items keep their first rows."""
    state.users.clear(users, sizes[0])
    state.items.clear(items, sizes[1])
    pairs, together = state.pairs, state.together
    pairs.take(~np.isin(pairs.user, users) & ~np.isin(pairs.item, items))
    state.offers.take(~np.isin(item_of(state.offers.key), items))
    gone = np.isin(together.key >> ITEM_BITS, items) | np.isin(item_of(together.key), items)
    together.key, together.pair_baskets = together.key[~gone], together.pair_baskets[~gone]
    together.item_baskets = together.item_baskets[: sizes[1]].copy()
    together.item_baskets[items[items < len(together.item_baskets)]] = 0


def put_on(parameters: Parameters, names: Vocabulary) -> Parameters:
    """The parameters without what they know of ids that have no row any more.

    Rows that a challenger has for the users who are about to get them stay.
    """
    tables = {USER_TABLE: names.users, ITEM_TABLE: names.items, ITEM_BIAS: names.items}
    longest = max((len(parameters.weights.get(name, ())) for name in tables), default=0)
    every = np.arange(longest)
    return cleared(parameters, {name: rows.generations(every) for name, rows in tables.items()})


def with_rows(
    parameters: Parameters, names: Vocabulary, users: Ints, state: ShopState | None
) -> Parameters:
    """The parameters with rows for all that has one, and for the rows of `users` of the day.

    With a `state`, a new item begins as the mean of its group, or else of its category.
    """
    nobody = np.zeros(0, np.int64)
    of_users, of_items = names.users.generations(users), names.items.generations(nobody)
    kin = {}
    if state is not None:
        group = state.items.group.astype(np.int64)
        category = names.departments_and_categories()[group]
        unknown = group == names.groups.row_of.get(UNKNOWN_GROUP)
        codes = [np.where(unknown, -1, group), np.where(unknown, -1, category)]
        kin = {ITEM_TABLE: codes, ITEM_BIAS: codes}
    tables = {USER_TABLE: of_users, ITEM_TABLE: of_items, ITEM_BIAS: of_items}
    return begun(parameters, tables, kin)
