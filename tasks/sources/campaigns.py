"""Complete Journey's coupon campaigns as events: who received one, who redeemed a coupon.

The package dates both by day alone. `exposure` (one for each household and campaign) stands at
the first instant of the day on which the campaign starts: it is known before that day's baskets.
`redeem` (one for each coupon redeemed) stands at the day's last second: a coupon is redeemed in
one of the day's baskets, which then cannot know of it beforehand. `channel` is the campaign, for
instance campaign-8. The item is null, since a coupon stands for some 90 products; the coupon's
own number is left out, for want of a column that means it.
"""

import numpy as np
import pandas as pd

from tasks.sources.canonical import typed

LAST_SECOND = pd.Timedelta(hours=23, minutes=59, seconds=59)


def campaign_events(
    campaigns: pd.DataFrame, descriptions: pd.DataFrame, redemptions: pd.DataFrame, zone: str
) -> pd.DataFrame:
    """The events of the package's three tables, without ids, and `day`, the shop's day of each.

    Args:
        campaigns: `campaign_id`, `household_id`.
        descriptions: `campaign_id`, `start_date`; all in `campaigns` are in it.
        redemptions: `household_id`, `campaign_id`, `redemption_date`.
        zone: the zone of the shop's calendar day.
    """
    received = campaigns.merge(descriptions, on="campaign_id", validate="many_to_one")
    return pd.concat(
        [
            _events("exposure", received, received["start_date"], pd.Timedelta(0), zone),
            _events("redeem", redemptions, redemptions["redemption_date"], LAST_SECOND, zone),
        ],
        ignore_index=True,
    )


def _events(
    event_type: str,
    rows: pd.DataFrame,
    days: "pd.Series[pd.Timestamp]",
    at: pd.Timedelta,
    zone: str,
) -> pd.DataFrame:
    events = {
        "event_time": (days + at).dt.tz_localize(zone).dt.tz_convert("UTC"),
        "event_type": event_type,
        "user_id": rows["household_id"],
        "session_id": None,
        "item_id": None,
        "query": None,
        "price": np.nan,
        "quantity": np.nan,
        "discount": np.nan,
        "channel": "campaign-" + rows["campaign_id"].astype("str"),
        "propensity": np.nan,
    }
    frame = typed("events", pd.DataFrame(events, index=rows.index))
    return frame.assign(day=days.dt.date.to_numpy())
