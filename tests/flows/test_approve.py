"""A promotion that a person is asked for, from the deployments: no run hangs."""

from typing import Any

import pytest

from flows import daily
from flows.ending import AWAITING_APPROVAL, questions, told_of_waiting
from flows.tonight import describe, look_at_tonight
from tests.faults.journeys import without_prefect
from tests.flows import browser
from tests.flows.serving import DAILY, Served, serving
from tests.line import APPLICATION, Place, ask_first, nth
from tests.runs import opened

APPROVE = f"approve/{APPLICATION}"


def run(served: Served, deployment: str, **parameters: str) -> Any:
    """The run of a deployment, ended."""
    known = served.deployment(deployment)["id"]
    asked = {"parameters": {"application": APPLICATION} | parameters}
    started = served.ask("POST", f"/deployments/{known}/create_flow_run", **asked)
    return served.ended(started["id"], 180)


def answered_in_browser(served: Served, asked: str, decision: str, reason: str) -> Any:
    """A person looks at the verdict of the run that asked and answers; that run, ended."""
    with browser.open_page() as page:
        browser.open_artifact(page, served.server, asked, f"{APPLICATION}-verdict")
        page.get_by_text("the gate would promote challenger").wait_for()
        assert page.get_by_role("cell", name="enough held-out users").is_visible()
        browser.keep_picture(page, "awaiting")
        browser.open_form(page, served.server, served.deployment(APPROVE)["id"])
        browser.choose(page, "decision", decision)
        browser.write(page, "reason", reason)
        browser.keep_picture(page, "approval-form")
        return served.ended(browser.submit(page), 180)


def verdict(served: Served) -> str:
    """The verdict that a person sees last."""
    return str(served.ask("GET", f"/artifacts/{APPLICATION}-verdict/latest")["data"])


def test_a_dry_run_and_the_end_of_a_run_tell_of_what_awaits(place: Place) -> None:
    ask_first(place)
    with opened(place.root) as asking, without_prefect():
        daily.daily_increment.fn(APPLICATION, nth(1))
        tonight = look_at_tonight(asking.ledger, APPLICATION, asking.params)
        assert tonight.awaiting == (nth(1),)
        told = describe(tonight)
        assert f"Awaiting approval: {nth(1)}." in told
        assert f"It would learn nothing: {nth(2)} and later days wait for {nth(1)}" in told
        said = questions(asking.ledger, APPLICATION)
    ended: Any = told_of_waiting([], said)
    assert (ended.type, ended.name) == ("COMPLETED", AWAITING_APPROVAL)
    assert ended.message == said[0]
    assert told_of_waiting([], []) == []


@pytest.mark.slow
def test_a_run_asks_a_person_answers_and_the_next_run_promotes(place: Place) -> None:
    ask_first(place)
    first = place.line.champion
    with serving(place) as served:
        asked = run(served, DAILY, through_day=str(nth(2)))
        assert (asked["state_type"], asked["state_name"]) == ("COMPLETED", "AwaitingApproval")
        assert f"{nth(1)}: awaiting approval" in asked["state"]["message"]
        assert "python -m flows.approve" in asked["state"]["message"]
        again = run(served, DAILY, through_day=str(nth(2)), application="all")
        assert again["state_name"] == "AwaitingApproval"
        assert (place.line.day, place.line.champion) == (nth(0), first)

        refused = run(served, APPROVE, decision="approve", reason=" ")
        assert refused["state_type"] == "FAILED"
        assert "an answer needs a reason" in refused["state"]["message"]
        answered = answered_in_browser(served, asked["id"], "approve", "seen by the buyers")
        assert answered["state_name"] == "Completed", answered["state"]["message"]
        twice = run(served, APPROVE, decision="approve", reason="seen by the buyers")
        assert f"no day of '{APPLICATION}' awaits approval" in twice["state"]["message"]

        learned = run(served, DAILY, through_day=str(nth(1)))
        assert learned["state_name"] == "Completed", learned["state"]["message"]
        assert "approved by a person: seen by the buyers" in verdict(served)
    champion = place.ledger.champions(APPLICATION)[-1]
    assert (place.line.day, place.line.champion) == (nth(1), champion.version)
    assert (champion.action, champion.actor) == ("promote", "operator")
