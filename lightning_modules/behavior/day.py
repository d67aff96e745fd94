"""From the state before a day to the views of its users, and with its events to the labels."""

from datetime import date

import numpy as np
from numpy.typing import NDArray

from lightning_modules.behavior import features
from lightning_modules.behavior.examples import UserDays, no_units
from lightning_modules.behavior.fading import Floats
from lightning_modules.behavior.happened import Happened, day_number
from lightning_modules.behavior.known import Known, steps_of
from lightning_modules.behavior.sequences import MINUTES_A_DAY, Steps, first_steps
from lightning_modules.behavior.state import BehaviorState
from lightning_modules.behavior.views import UNKNOWN, Views, joined
from lightning_modules.behavior.waiting import Waiting
from lightning_modules.hashing import list_keys

LEAST_SHARE = 0.3  # of the mean share, for the rows that are never bought
LONGEST_GAP = 200 * MINUTES_A_DAY


def views_before(known: Known, day: date) -> Views:
    """Every known user with every judged category, as seen before `day`; no label is known.

    A row that is nobody's has a view too, of a user of whom nothing is known.
    """
    state, settings = known.state, known.settings
    number = day_number(day)
    users, kinds = len(state.users.count), len(state.categories.row)
    user = np.repeat(np.arange(users), kinds)
    column = np.tile(np.arange(kinds), users)
    frequency = features.frequency(state, number)
    share, living = np.ones_like(frequency), known.words.users.living()
    share[living] = training_share(frequency[living], settings.rows_a_user)
    past = known.sequences.past
    return Views(
        user=np.arange(users, dtype=np.int32),
        day=np.full(users, number, np.uint16),
        inputs=features.user_features(state, number, day.day - 1),
        visits=features.visit_bits(state, number),
        past_kind=past.kind,
        past_category=past.category,
        past_term=past.term,
        past_gap=_gaps(past, number),
        next_kind=np.zeros((users, settings.next_events), np.int32),
        next_category=np.zeros((users, settings.next_events), np.int32),
        next_term=np.zeros((users, settings.next_events, settings.terms), np.int32),
        watched=np.zeros(users, bool),
        rows=np.full(users, kinds, np.int32),
        column=column.astype(np.int16),
        features=features.row_features(state, number, user, column),
        bits=features.pair_bits(state, number).ravel(),
        share=share.ravel(),
        frequency=frequency.ravel(),
        buy_1=np.full(users * kinds, UNKNOWN, np.int8),
        buy_7=np.full(users * kinds, UNKNOWN, np.int8),
    )


def training_share(frequency: Floats, rows_a_user: int) -> Floats:
    """The probability with which each (user, category) is trained on (H, C).

    It is in proportion to the root of its frequency, near the best for the mean loss of a rare
    event (importance sampling), and known before the day: so one sample serves both labels.
    """
    if frequency.size == 0:
        return frequency
    root = np.sqrt(frequency)
    wanted = root / max(float(root.mean()), 1e-9)
    share = np.maximum(wanted, LEAST_SHARE) * rows_a_user / frequency.shape[1]
    found: Floats = np.clip(share, 0, 1).astype(np.float32)
    return found


def units_of_day(known: Known, waiting: Waiting, today: Happened, day: date) -> UserDays:
    """One unit for every user known before the day; none on a day on which nothing happened.

    Raises:
        ValueError: if the state has taken the day in: its features would know its labels.
    """
    state, words, settings = known.state, known.words, known.settings
    if today.day <= state.day:
        raise ValueError(f"{day} is in the state already: load the version from before it")
    views = views_before(known, day)
    if len(today.user) == 0:
        return no_units(views)
    user = words.users.find(today.user_ids)[today.user]
    steps = steps_of(words, settings, today)
    bought = bought_today(state, today, user, steps.category)
    coming = user >= 0
    first = first_steps(steps.take(coming), user[coming], len(views), settings.next_events)
    views = views.but(
        next_kind=first.kind,
        next_category=first.category,
        next_term=first.term,
        watched=np.ones(len(views), bool),
        buy_1=bought.ravel().astype(np.int8),
    )
    ripe = waiting.ripe(state, today.day, bought)
    both = joined([views, ripe])
    served, outcome = waiting.outcome(state, today.day, bought)
    names = words.users.ids()
    units = UserDays(
        unit_ids=names,
        keys=list_keys(day, names.tolist()),
        users=views.user,
        per_unit=np.bincount(both.user, minlength=len(views)).astype(np.int32),
        views=both.take(np.argsort(both.user, kind="stable")),
        served=served,
        bought=outcome,
    )
    return units.take(words.users.living()) if state.free else units


def bought_today(
    state: BehaviorState, today: Happened, user: NDArray[np.int64], category: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """What each known user bought on the day (H, C)."""
    column = state.columns(category)
    here = today.bought & (user >= 0) & (column >= 0)
    bought = np.zeros((len(state.users.count), len(state.categories.row)), bool)
    bought[user[here], column[here]] = True
    return bought


def _gaps(past: Steps, day: int) -> NDArray[np.float16]:
    """Before `day` and after the event before, as logarithms of days and minutes (H, K, 2)."""
    ago = np.clip(day * MINUTES_A_DAY - past.minute, 0, LONGEST_GAP)
    between = np.diff(past.minute, axis=1, prepend=past.minute[:, :1])
    between = np.clip(between, 0, LONGEST_GAP)
    gaps = np.stack([np.log1p(ago / MINUTES_A_DAY) / 3, np.log1p(between) / 6], axis=2)
    return np.where((past.kind > 0)[:, :, None], gaps, 0).astype(np.float16)
