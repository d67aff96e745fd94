"""Users who stay away are let go: of counters, events, memories, and of what waits for a label.

Rows of users are no rows of the network, so no parameters hang on them.
"""

from dataclasses import fields

import numpy as np

from lightning_modules.behavior.known import Known
from lightning_modules.behavior.memory import Memory
from lightning_modules.behavior.sequences import Steps
from lightning_modules.behavior.waiting import Waiting
from lightning_modules.tables import blanked


def end_day(known: Known, waiting: Waiting, memory: Memory) -> None:
    """Take back the rows of users who stayed away for too long, with all that is kept of them."""
    names, state = known.words.users, known.state
    gone = names.end_day(state.day)
    state.free = len(names.free)
    if len(gone) == 0:
        return
    for table in (state.users, state.pairs):
        for column in fields(table):
            setattr(table, column.name, blanked(getattr(table, column.name), gone, len(names)))
    past = known.sequences.past
    kept = {
        part.name: blanked(getattr(past, part.name), gone, len(names)) for part in fields(past)
    }
    known.sequences.past = Steps(**kept)
    waiting.views = waiting.views.take(~np.isin(waiting.views.user, gone))
    waiting.served = [blanked(array, gone, len(names), np.nan) for array in waiting.served]
    for part in ("replay", "frozen"):
        units = getattr(memory, part)
        setattr(memory, part, units.take(~np.isin(units.users, gone)))
