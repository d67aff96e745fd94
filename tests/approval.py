"""A gate that lets all pass and asks a person first, and the flow's body with answers."""

from dataclasses import replace

from tasks import promote
from tasks.approve import approve, asked_for
from tasks.ask import ask
from tasks.attempt import open_attempt
from tasks.due import next_increment
from tasks.ledger import Line
from tasks.records import ApprovalDecision, Verdict
from tests.line import APPLICATION, LANDED, Place, nth, run_steps

REASON = "looked at it with the buyers"
SURE = {"margin": 5.0, "forgetting_margin": 5.0, "anchor_margin": 5.0, "rollback_margin": 5.0}


def asking(place: Place, approval: str = "wait", **gate: float) -> Place:
    """The same place where a gate that lets all pass asks a person first."""
    section = place.params.application(APPLICATION)
    settings = section.gate.model_copy(update=SURE | gate | {"approval": approval})
    changed = {APPLICATION: section.model_copy(update={"gate": settings})}
    return replace(place, params=place.params.model_copy(update={"applications": changed}))


def night(place: Place, through: int = LANDED) -> list[Verdict]:
    """What flows/daily.py does, without Prefect."""
    found = []
    with place.ledger.lease(APPLICATION) as lease:
        while increment := next_increment(place.ledger, APPLICATION, place.params, nth(through)):
            where = open_attempt(increment)
            verdict = run_steps(increment, place.params, where)
            end = ask if verdict.awaits else promote.promote
            end(place.ledger, lease, increment, place.params, where)
            found.append(verdict)
    return found


def answer(place: Place, number: int, decision: ApprovalDecision, reason: str = REASON) -> Line:
    asked = asked_for(place.ledger, APPLICATION, nth(number))
    with place.ledger.lease(APPLICATION) as lease:
        return approve(place.ledger, lease, place.params, asked, decision, reason)


def outcomes(place: Place) -> list[str]:
    fates = place.ledger.fates(APPLICATION)
    return [fate.outcome for day, fate in fates.items() if day >= nth(1)]
