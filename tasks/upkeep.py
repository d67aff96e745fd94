"""Settings of what goes on beside learning: calling a person, removing what is old."""

from pydantic import Field

from tasks.record import Record


class AlertParams(Record):
    """When a person is called, see tasks/alerts.py."""

    stale_days: int = Field(
        default=14,
        ge=1,
        description="So many days learned without a promotion, or so many days of the clock "
        "without a day learned; and how long a day set aside is told of.",
    )
    kept_nights: int = Field(
        default=7, ge=2, description="So many challengers refused one after the other."
    )


class RetentionParams(Record):
    """What a collection keeps. The champion, the head and the anchor always stay."""

    days: int = Field(
        default=14,
        ge=1,
        description="The line's versions of so many last days can be gone back to.",
    )
    predecessors: int = Field(
        default=3, ge=1, description="So can this many champions before the one that serves."
    )
    grace_hours: float = Field(
        default=24, ge=0, description="Nothing younger is removed: someone may be at work with it."
    )
    remote: bool = Field(
        default=False,
        description="Whether a DVC remote outside the workspace is this workspace's alone, so "
        "that what it no longer needs is removed there too.",
    )
