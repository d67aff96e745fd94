"""What a day may be at most and still be learned without asking: against poisoned days."""

from pydantic import Field

from tasks.record import Record


class Limits(Record):
    """`shop.limits`. A day beyond one of them is set aside, to be released or corrected."""

    rows_per_user: int = Field(
        default=1000, ge=1, description="Events of one user on one day: a robot has more."
    )
    share_of_one_item: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="Share of the day's events with an item that may be one item's.",
    )
    price_ratio: float = Field(
        default=5,
        gt=1,
        description="How many times the usual mean price the day's may be, or one part of it.",
    )
    volume_ratio: float = Field(
        default=10,
        gt=1,
        description="How many times the usual number of events it may have.",
    )
    score_ratio: float = Field(
        default=3,
        gt=1,
        description="How many times worse than usual the day may be foretold, before it is "
        "learned, by the best of champion, predecessor, anchor and the naive rival.",
    )
