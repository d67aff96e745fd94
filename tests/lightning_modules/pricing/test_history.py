"""What a price table rests on: the past of the items asked for, under their own names."""

import numpy as np

from lightning_modules.pricing.history import History


def test_some_rows_keep_their_names_days_and_prices() -> None:
    history = History.empty(3)
    ids = np.array(["a", "b", "c", "d"], object)
    for day in range(4):
        item = np.array([0, 2], np.int32) if day % 2 else np.array([0, 1, 2], np.int32)
        price = np.array([10.0, 30.0] if day % 2 else [10.0, 20.0, 30.0], np.float32) + day
        history = history.after(3, item, price, np.full(len(item), day, np.float32))
    asked = np.array([1, 2, 3], np.int32)  # "d" is about to be tracked
    frame = history.frame(ids, asked).sort_values(["item_id", "age"])
    assert frame["item_id"].tolist() == ["b", "c", "c", "c"]
    assert frame["age"].tolist() == [1, 0, 1, 2]
    assert frame["price"].tolist() == [22, 33, 32, 31]
    assert frame["units"].tolist() == [2, 3, 2, 1]
