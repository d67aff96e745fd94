"""What the network sees of a user and of a user's category: numbers known before the day."""

import numpy as np
from numpy.typing import NDArray

from lightning_modules.behavior.fading import (
    BASKET_TAU,
    INTEREST_TAU,
    PRICE_TAUS,
    SOLD_TAUS,
    SOLD_WEEKDAY_TAU,
    TAUS,
    WEEKDAY_TAU,
    Floats,
    fade,
    shifted,
)
from lightning_modules.behavior.state import BehaviorState, Ints

PAIR = (
    "rate_7",
    "rate_30",
    "rate_90",
    "by_visit_7",
    "by_visit_30",
    "by_visit_90",
    "by_visit_ever",
    "log_count",
    "since",
    "visits_since",
    "interval",
    "overdue",
    "due_this_week",
    "bought_once",
    "interest",
)
CATEGORY = (
    "sold_1",
    "sold_7",
    "sold_28",
    "sold_weekday",
    "trend",
    "saving",
    "saving_change",
    "again",
)
FEATURES = PAIR + CATEGORY
RHYTHM = (
    "since_visit",
    "visit_interval",
    "visit_overdue",
    "visits_7",
    "visits_30",
    "visits_90",
    "log_visits",
    "weekday_share",
    "basket",
    "spent",
    "month_day",
)
USER = (
    *RHYTHM,
    *(f"weekday_{day}" for day in range(7)),
    *(f"often_on_{day}" for day in range(7)),
)
BITS = 28  # days of a purchase history that are seen one by one
LONGEST_DAYS = 200
LONGEST_OVERDUE = 4.0
UNKNOWN_INTERVAL = 60.0
PRIOR_DAYS = 4.0


def user_features(state: BehaviorState, day: int, month_day: int) -> NDArray[np.float16]:
    """USER and then each category's rates by day and by visit, (H, U + 2 C)."""
    table, gap = state.users, day - state.day
    visits = fade(table.visits, gap, TAUS)
    count = table.count.astype(np.float32)
    since, interval = _rhythm(table.first, table.last, count, day, 30)
    weekday = fade(table.weekday, gap, WEEKDAY_TAU)
    share = weekday / np.maximum(weekday.sum(axis=1, keepdims=True), 0.3) * 7
    basket = fade(table.basket, gap, BASKET_TAU) / np.maximum(visits[:, 1], 0.3)
    today = np.zeros((len(count), 7), np.float32)
    today[:, day % 7] = 1
    columns = [
        np.log1p(np.minimum(since, 60)) / 2,
        np.log1p(interval) / 2,
        np.minimum(since / np.maximum(interval, 1), LONGEST_OVERDUE),
        visits[:, 0] / 2,
        visits[:, 1] / 5,
        visits[:, 2] / 15,
        np.log1p(count) / 3,
        share[:, day % 7],
        np.log1p(basket) / 2,
        np.log1p(fade(table.spent, gap, BASKET_TAU)) / 4,
        np.full(len(count), month_day / 30),
        *today.T,
        *share.T,
    ]
    rates = fade(state.pairs.faded[:, :, 2], gap, TAUS[2])
    by_visit = np.sqrt(np.clip(rates / np.maximum(visits[:, 2:], 0.3), 0, 1))
    recent = fade(state.pairs.faded[:, :, 0], gap, TAUS[0])
    own = np.stack(columns, axis=1)
    return np.concatenate([own, by_visit, recent], axis=1).astype(np.float16)


def visit_bits(state: BehaviorState, day: int) -> NDArray[np.uint32]:
    """Bit k: the user bought something k days before `day` (H,); bit 0 is never set."""
    return shifted(state.users.recent, day - state.day)


def pair_bits(state: BehaviorState, day: int) -> NDArray[np.uint32]:
    """Bit k: the user bought the category k days before `day` (H, C); bit 0 is never set."""
    return shifted(state.pairs.recent, day - state.day)


def frequency(state: BehaviorState, day: int) -> Floats:
    """Days with the category per day (H, C), drawn to the shop's mean as PRIOR_DAYS of it."""
    gap, tau = day - state.day, TAUS[2]
    rate = fade(state.pairs.faded[:, :, 2], gap, tau)
    lived = tau * (1 - np.exp(-(day - state.users.first.astype(np.float32) + 1) / tau))
    found: Floats = (rate + PRIOR_DAYS * base_rate(state, day)) / (lived[:, None] + PRIOR_DAYS)
    return found


def base_rate(state: BehaviorState, day: int) -> Floats:
    """Share of all users who bought each category on a day of the last weeks (C,)."""
    sold = fade(state.categories.sold[:, 2], day - state.day, SOLD_TAUS[2])
    rate: Floats = sold / SOLD_TAUS[2] / state.people
    return rate


def row_features(state: BehaviorState, day: int, user: Ints, column: Ints) -> NDArray[np.float16]:
    """FEATURES of N (user row, category column) pairs, (N, F)."""
    at = (user, column)
    pairs, users, gap = state.pairs, state.users, day - state.day
    faded = fade(pairs.faded[at], gap, TAUS)
    visits = fade(users.visits, gap, TAUS)[user]
    count = pairs.count[at].astype(np.float32)
    total = users.count[user].astype(np.float32)
    since, interval = _rhythm(pairs.first[at], pairs.last[at], count, day, UNKNOWN_INTERVAL)
    since = np.minimum(since, LONGEST_DAYS)
    pace = np.maximum(interval, 1)
    by_visit = np.sqrt(np.clip(faded / np.maximum(visits, (0.1, 0.3, 0.3)), 0, 1))
    out = np.empty((len(user), len(FEATURES)), np.float16)
    columns = [
        *np.sqrt(faded / TAUS).T,
        *by_visit.T,
        np.sqrt(count / np.maximum(total, 1)),
        np.log1p(count) / 2,
        np.log1p(since) / 3,
        np.log1p(total - pairs.visit[at]) / 3,
        np.log1p(interval) / 3,
        np.minimum(since / pace, LONGEST_OVERDUE),
        np.minimum((since + 3.5) / pace, LONGEST_OVERDUE),
        count == 1,
        np.log1p(fade(pairs.interest[at], gap, INTEREST_TAU)),
    ]
    for place, values in enumerate(columns):
        out[:, place] = values
    out[:, len(PAIR) :] = _category_features(state, day)[column]
    return out


def _category_features(state: BehaviorState, day: int) -> Floats:
    table, gap, people = state.categories, day - state.day, state.people
    sold = fade(table.sold, gap, SOLD_TAUS)
    weekday = fade(table.weekday, gap, SOLD_WEEKDAY_TAU)[:, day % 7]
    saved, asked = fade(table.saved, gap, PRICE_TAUS), fade(table.asked, gap, PRICE_TAUS)
    saving = saved / (asked + 1)
    return np.stack(
        [
            *np.sqrt(sold / SOLD_TAUS / people * 100).T,
            np.sqrt(weekday / 4 / people * 100),
            np.log((sold[:, 1] / 7 + 1) / (sold[:, 2] / 28 + 1)),
            saving[:, 0] * 5,
            (saving[:, 0] - saving[:, 1]) * 10,
            table.again / (table.bought + 1.0),
        ],
        axis=1,
    ).astype(np.float32)


def _rhythm(
    first: NDArray[np.uint16], last: NDArray[np.uint16], count: Floats, day: int, unknown: float
) -> tuple[Floats, Floats]:
    """Days since the last time, and the mean days between two; `unknown` before the second."""
    since = np.where(count > 0, day - last.astype(np.float32), LONGEST_DAYS).astype(np.float32)
    span = last.astype(np.float32) - first.astype(np.float32)
    interval = np.where(count >= 2, span / np.maximum(count - 1, 1), unknown).astype(np.float32)
    return since, interval
