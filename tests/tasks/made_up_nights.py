"""A made-up line with the steps' records beside its versions: a night of every kind.

Day n is 2017-10-n. 1 and 2 are history, 3 is promoted, 4 kept, 5 set aside, 6 rolled back (which
makes 3 and 4 kept days), 7 closed, 8 promoted, 9 has a drift that could not be evaluated.
"""

import datetime as dt
import hashlib
import math

import pandas as pd

from tasks import reference, workspace
from tasks.ledger import Champion, Day, Lease, Ledger, Version
from tasks.records import (
    Action,
    Check,
    ColumnDrift,
    Drift,
    Evaluation,
    Fit,
    IdCount,
    Metrics,
    Plan,
    Prequential,
    Validation,
    Verdict,
)

APPLICATION = "recommendation"
COLUMNS = ("basket size", "channel", "discount", "hour", "price", "quantity", "score")
STEPS = {"validate": 0.1, "prequential": 0.5, "drift": 0.6, "fine_tune": 2.1, "promote": 0.3}
HOLDOUT = "challenger not worse on held-out users (ndcg@20)"
HISTORY = 2


def date(number: int) -> dt.date:
    """The day with that number."""
    return dt.date(2017, 9, 30) + dt.timedelta(days=number)


def name(number: int) -> str:
    """The id of the version made on that day; the first one's is that of day 2."""
    return hashlib.sha256(f"version {number}".encode()).hexdigest()


def metrics(number: int, level: float) -> Metrics:
    """Something that waves a little from day to day."""
    wave = 1 + 0.06 * math.sin(1.7 * number)
    return {
        "ndcg@10": level * wave,
        "ndcg@20": 1.1 * level * wave,
        "recall@10": 0.8 * level * wave,
    }


def verdict(number: int, action: Action) -> Verdict:
    """Two checks, of which the second one failed if the challenger was not promoted."""
    passed = action == "promote"
    checks = (
        Check(name="enough held-out users", passed=True, why="72 of at least 30"),
        Check(
            name=HOLDOUT,
            passed=passed,
            why="-0.00800 at worst, -0.00700 is allowed",
            effect=0.0012,
            low=-0.008,
            high=0.0104,
            margin=0.007,
            units=72,
            power=0.61,
        ),
    )
    return Verdict(
        application=APPLICATION,
        day=date(number),
        action=action,
        reason="every check passed" if passed else f"{HOLDOUT}: {checks[1].why}",
        checks=checks,
        alarms=("drift could not be evaluated: price <lost>",) if number == 9 else (),
        plan="fine tune: 4000 new rows",
    )


def write_records(number: int, action: Action) -> None:
    """All that the steps leave beside the version of a day."""
    place = workspace.ATTACHMENTS / APPLICATION / name(number)
    day, closed = date(number), number == 7
    Validation(day=day, rows=0 if closed else 4000, users=350, items=1900, closed=closed).write(
        place / "validation.json"
    )
    levels = {"champion": 0.31, "predecessor": 0.305, "anchor": 0.3, "naive": 0.275}
    scored = {who: {} if closed else metrics(number, level) for who, level in levels.items()}
    Prequential(
        day=day,
        units=0 if closed else 354,
        unit="user_id",
        metric="ndcg@20",
        higher_is_better=True,
        shown=("ndcg@10", "recall@10"),
        ids={"user_id": IdCount(known=2440 + number, today=350, new=number)},
        **scored,
    ).write(place / "prequential.json")
    write_drift(number, closed)
    skipped = Plan(action="skip", reasons=("the shop was closed",))
    Plan(action="fine_tune", reasons=("4000 new rows",)).write(place / "plan.json")
    if closed:
        skipped.write(place / "plan.json")
    Evaluation(
        day=day,
        units=72,
        unit="user_id",
        metric="ndcg@20",
        higher_is_better=True,
        champion=metrics(number, 0.31),
        challenger=None if closed else metrics(number, 0.312),
        anchor=metrics(number, 0.3),
        reason="the shop was closed" if closed else "",
    ).write(place / "evaluation.json")
    verdict(number, action).write(place / "verdict.json")
    curve = [{"step": float(s), "loss": 2 * math.exp(-s / 8 - number / 90)} for s in range(20)]
    Fit(
        learned=not closed,
        diverged=False,
        reason="",
        lists=0 if closed else 280,
        curve=() if closed else tuple(curve),
    ).write(place / "challenger" / "fit.json")
    if not closed:
        write_losses(number)


def write_losses(number: int) -> None:
    """Of three units of two past days; one of them is not known any more."""
    days = [str(date(1)), str(date(2)), None]
    losses = {"champion": [1.0, 2.0, 3.0], "challenger": [1.5, 1.75, 3.0 + number]}
    table = pd.DataFrame({**losses, "unit": ["a", "b", "c"], "day": days})
    place = workspace.ATTACHMENTS / APPLICATION / name(number)
    reference.write_frame(table, place / "forgetting.parquet")


def write_drift(number: int, closed: bool) -> None:
    """Drift of the day, and Evidently's page if there was anything to compare."""
    place = workspace.ATTACHMENTS / APPLICATION / name(number)
    evaluated = number != 9
    psi = {
        column: round(0.08 * (1 + rank) * abs(math.sin(number + rank)), 4)
        for rank, column in enumerate(COLUMNS)
    }
    columns = {column: ColumnDrift(psi=v, drifted=v >= 0.2) for column, v in psi.items()}
    found = columns if evaluated and not closed else {}
    moved = sum(column.drifted for column in found.values())
    share = moved / len(COLUMNS)
    Drift(
        day=date(number),
        evaluated=evaluated,
        reason=f"{moved} columns moved" if evaluated else "price <lost>",
        columns=found,
        share=share,
        detected=share >= 0.5,
    ).write(place / "drift.json")
    if found:
        (place / "drift.html").write_text(f"<p>Evidently's page of day {number}</p>")


def version(number: int, parent: int | None) -> Version:
    """The version made on that day."""
    back = None if parent is None else name(parent)
    return Version(
        version=name(number),
        parent=back,
        predecessor=back,
        anchor=None if parent is None else name(HISTORY),
        day=date(number),
        kind="first" if parent is None else "promoted",
        manifest=f"manifest {number}",
    )


def day_of(number: int, action: Action, reason: str, by: int | None = None) -> Day:
    """A learned day, by its own version or by another's."""
    return Day(
        day=date(number),
        digest=f"content {number}",
        outcome="learned",
        version=name(number if by is None else by),
        action=action,
        reason=reason,
        rows=0 if number == 7 else 4000 + 37 * number,
    )


def champion(number: int, action: Action, reason: str, actor: str = "daily increment") -> Champion:
    """The parameters of that day's version come to serve."""
    return Champion(
        version=name(number), day=date(number), action=action, reason=reason, actor=actor
    )


def learn(ledger: Ledger, lease: Lease, number: int, action: Action, parent: int) -> None:
    """One increment: attempt, records, commit."""
    attempt = ledger.begin_attempt(lease, date(number))
    write_records(number, action)
    reason = verdict(number, action).reason
    made, today = version(number, parent), day_of(number, action, reason)
    if action == "roll_back":
        why = "kept in the state: the champion was taken back"
        fates = [day_of(3, "keep", why, by=number), day_of(4, "keep", why, by=number), today]
        ledger.rewind(lease, name(parent), made, fates, champion(number, action, reason))
    else:
        serves = champion(number, action, reason) if action == "promote" else None
        ledger.commit_increment(lease, name(parent), made, today, serves)
    ledger.end_attempt(attempt, action, {step: s * (1 + number / 20) for step, s in STEPS.items()})


def start(ledger: Ledger, lease: Lease) -> None:
    """The bootstrap: two days of history, nothing beside the first version."""
    history = [day_of(n, "first", "history", by=HISTORY) for n in (1, 2)]
    first = champion(HISTORY, "first", "fitted on 2 days of history", "bootstrap")
    ledger.start_line(lease, version(HISTORY, None), history, first)
    ledger.end_attempt(ledger.begin_attempt(lease, date(HISTORY)), "first", {"bootstrap": 95.0})


def write_nights(ledger: Ledger) -> None:
    """All nine days; attachments go to the current directory's workspace."""
    with ledger.lease(APPLICATION) as lease:
        start(ledger, lease)
        learn(ledger, lease, 3, "promote", HISTORY)
        learn(ledger, lease, 4, "keep", 3)
        ledger.quarantine(lease, date(5), "content 5", "column 'quantity' is missing")
        learn(ledger, lease, 6, "roll_back", 4)
        learn(ledger, lease, 7, "keep", 6)
        learn(ledger, lease, 8, "promote", 7)
        learn(ledger, lease, 9, "keep", 8)


def go_back_to(ledger: Ledger, number: int, *since: int, reason: str = "bad labels") -> None:
    """An operator takes the line back; the days since are to be learned again."""
    fates = [
        Day(day=date(n), digest=f"content {n}", outcome="rewound", reason=reason) for n in since
    ]
    line = ledger.line(APPLICATION)
    assert line is not None
    with ledger.lease(APPLICATION) as lease:
        target = ledger.versions(APPLICATION)[name(number)]
        serving = champion(number, "roll_back", reason, "operator")
        ledger.rewind(lease, line.head, target, fates, serving)
