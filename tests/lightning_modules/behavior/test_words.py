"""Ids and words: what is new gets a row, a rare word shares one."""

from datetime import timedelta
from pathlib import Path

import numpy as np

from lightning_modules.behavior.happened import happened, item_categories
from lightning_modules.behavior.words import Words, words_of
from tests.lightning_modules.behavior.small_shop import FIRST, catalogue, shop_day

BUCKETS = 4


def searched(words: Words, *queries: tuple[str, str]) -> None:
    rows = [{"user_id": u, "event_type": "search", "query": q} for u, q in queries]
    words.admit(happened(shop_day(FIRST + timedelta(1), *rows), {}), {}, 2)


def term_rows(words: Words, query: str) -> list[int]:
    return [int(row) for row in words.term_rows(np.array([query], object), 3)[0]]


def test_a_word_of_two_users_gets_a_row_and_another_shares_a_bucket() -> None:
    words = Words(BUCKETS)
    searched(words, ("a", "Red WINE"), ("b", "wine?"), ("a", "red"))
    assert list(words.terms.row_of) == ["wine"]
    red, wine, none = term_rows(words, "red wine")
    assert 1 <= red <= BUCKETS
    assert wine == BUCKETS + 1
    assert none == 0
    assert term_rows(words, "never typed before, by anyone")[2] in range(1, BUCKETS + 1)
    assert term_rows(words, "") == [0, 0, 0]


def test_rows_stay_when_others_come() -> None:
    words = Words(BUCKETS)
    searched(words, ("a", "milk"), ("b", "milk"))
    before = term_rows(words, "milk")
    searched(words, ("a", "bread"), ("b", "bread"), ("a", "apple"), ("b", "apple"))
    assert term_rows(words, "milk") == before
    assert list(words.terms.row_of) == ["milk", "apple", "bread"]


def test_the_files_words_are_the_same(tmp_path: Path) -> None:
    words = Words(BUCKETS)
    today = shop_day(FIRST, {"user_id": "a", "query": "soap"}, {"user_id": "b", "query": "soap"})
    words.admit(happened(today, {}), item_categories(catalogue()), 2)
    words.save(tmp_path / "words.json")
    again = Words.load(tmp_path / "words.json")
    assert list(again.categories.row_of) == list(words.categories.row_of)
    assert again.item_category == words.item_category
    assert term_rows(again, "soap bar") == term_rows(words, "soap bar")


def test_an_item_without_a_category_is_nothing() -> None:
    items = catalogue()
    items.loc[0, "category"] = None
    today = shop_day(FIRST, {"item_id": "bread"}, {"item_id": None}, {"item_id": "milk"})
    found = happened(today, item_categories(items) | {"milk": "dairy"})
    assert item_categories(items)["bread"] == ""
    assert found.category.tolist()[1] == ""


def test_only_so_many_queries_are_remembered() -> None:
    most = words_of.cache_info().maxsize
    assert most is not None
    assert most <= 1_000_000
