"""The ledger, the truth: which day was learned, by which version, and who serves since when."""

from tasks.ledger.commit import AlreadyLearnedError
from tasks.ledger.entries import (
    Attempt,
    Champion,
    ChampionEntry,
    Day,
    DayEntry,
    Line,
    Snapshot,
    Version,
    version_of,
)
from tasks.ledger.lease import Lease, LeaseHeldError, LostLineError
from tasks.ledger.ledger import Ledger, open_ledger
from tasks.ledger.revision import UnusableLedgerError

__all__ = [
    "AlreadyLearnedError",
    "Attempt",
    "Champion",
    "ChampionEntry",
    "Day",
    "DayEntry",
    "Lease",
    "LeaseHeldError",
    "Ledger",
    "Line",
    "LostLineError",
    "Snapshot",
    "UnusableLedgerError",
    "Version",
    "open_ledger",
    "version_of",
]
