"""What a shelf asked in a week, read back from the week's receipts.

For shops whose files state what was paid and no posted price. Such a row is dated at the week's
first day, as if the week's price were known when the week opens. A retailer knows it then; we
learn it from sales, so it tells a little about them: its value is an average over the baskets of
the week, and that there is a row at all says that the item will be sold. A model should look at
the value and carry it over weeks without one, never at whether there is a row.
"""

from datetime import date, timedelta

import pandas as pd


def week_of(day: date) -> tuple[date, date]:
    """Monday and Sunday of the day's week."""
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=6)


def posted_prices(receipts: pd.DataFrame) -> pd.DataFrame:
    """Each item's price over the rows of one week: what was paid for a unit, on average.

    Args:
        receipts: `item`, `quantity`, and in whole hundredths of the currency per row `paid`, with
            `listed` (what it would have been without the offer) and `cost` where they are known.
            Whole numbers, so that the sums are exact in any order and on any machine. Rows
            without a positive quantity are left out.

    Returns:
        `item`, ascending, with `price` above zero, `list_price` not below it and `cost`, in the
        currency per unit; null where the receipts do not know. Items given away have no row.
    """
    sums = receipts[receipts["quantity"] > 0].groupby("item").sum()
    sums = sums[sums["paid"] > 0]
    units = 100.0 * sums["quantity"]
    nothing = pd.Series(float("nan"), index=sums.index)
    listed = sums["listed"].clip(lower=sums["paid"]) / units if "listed" in sums else nothing
    cost = sums["cost"] / units if "cost" in sums else nothing
    prices = {"price": sums["paid"] / units, "list_price": listed, "cost": cost}
    return pd.DataFrame(prices).reset_index()
