"""One day of the source becomes a revision of the data registry."""

import logging
from datetime import date

from prefect import flow

from flows.command_line import run_command
from flows.names import run_name
from flows.steps import step
from tasks import land as landing
from tasks import workspace
from tasks.params import load_params
from tasks.sources import open_source

log = logging.getLogger("flows.land")  # of that name when run with `python -m`, too
land_day = step(landing.land_day, retries=2)


@flow(name="land", flow_run_name=run_name("day", "next day"))
def land(day: date | None = None) -> landing.Landing | None:
    """Land a day; the same bytes again change nothing, other bytes are a correction.

    Args:
        day: The shop's calendar day; without it, the first day of the source that is not landed.
    """
    source = open_source(load_params().shop.source)
    there = set(workspace.registry_days())
    wanted = day or next((d for d in source.days() if d not in there), None)
    if wanted is None:
        log.info("every day of the source is landed")
        return None
    landed = land_day(source, wanted)
    log.info("%s: %s, %d rows", landed.day, landed.status, landed.rows)
    return landed


if __name__ == "__main__":
    run_command(land)
