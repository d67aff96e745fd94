"""A catalogue that says little: without categories, without a column for them, without rows."""

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from lightning_modules.behavior.happened import happened, item_categories
from tests.lightning_modules.behavior.small_shop import FIRST, catalogue, shop_day


def test_items_without_a_column_of_categories_have_none() -> None:
    items = pd.DataFrame({"item_id": ["bread", "milk"]})
    assert item_categories(items) == {"bread": "", "milk": ""}


@pytest.mark.parametrize("columns", [["item_id"], ["item_id", "category"]])
def test_a_catalogue_without_rows_tells_of_no_item(columns: list[str]) -> None:
    told: dict[str, Any] = {name: pd.Series(dtype="str") for name in columns}
    assert item_categories(pd.DataFrame(told)) == {}


def test_a_day_without_a_file_of_items_keeps_the_categories_known_before() -> None:
    today = shop_day(
        FIRST + timedelta(1), {"item_id": "bread"}, items=pd.DataFrame({"item_id": []})
    )
    assert happened(today, item_categories(catalogue())).category.tolist() == ["bread"]
