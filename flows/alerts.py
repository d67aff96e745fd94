"""Alerts as Prefect's events, and an automation that passes them on to people.

`python -m flows.alerts slack-webhook/ops` sends each one by a notification block of Prefect, here
the one of type `slack-webhook` that is called `ops`. Without that they are in the event feed and
on the report's page.
"""

import argparse
import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from prefect.automations import AutomationCore
from prefect.client.orchestration import get_client
from prefect.events import emit_event
from prefect.events.actions import SendNotification
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.exceptions import ObjectNotFound

from flows.names import NEW_HEAD, resource
from tasks.params import load_params
from tasks.records import Alert

EVENT = "dayshift.alert"
TOLD = "dayshift: an alert"
SILENT = "dayshift: no day was learned"


class NoBlockError(LookupError):
    """Prefect has no such block; the message says where to make it."""


def tell_of_alerts(application: str, alerts: Sequence[Alert]) -> None:
    """Say each open alert; said again by every run that ends while it is open."""
    for alert in alerts:
        emit_event(
            event=f"{EVENT}.{alert.kind.replace(' ', '-')}",
            resource=resource(application),
            payload=alert.model_dump(mode="json"),
        )


def pass_on(block: str, stale_days: int) -> None:
    """Send each alert by the block `type/name`, and say so where no head came for so many days.

    The second one is the server's own: it speaks up also where no worker is left to say anything.
    Raises NoBlockError.
    """
    told, silent = Posture.Reactive, Posture.Proactive
    by = _block(block)
    ours = {"prefect.resource.id": "dayshift.*"}
    each = "{{ event.payload.day }}: {{ event.payload.reason }}\n{{ event.payload.cure }}"
    subject = "{{ event.resource.name }}: {{ event.payload.kind }}"
    _replace(
        AutomationCore(
            name=TOLD,
            description="Each alert of a run, by the block that the operator chose.",
            trigger=EventTrigger(expect={f"{EVENT}.*"}, match=ours, posture=told, threshold=1),
            actions=[SendNotification(block_document_id=by, subject=subject, body=each)],
        )
    )
    missed = f"No day was learned for {stale_days} days. See whether days land and a worker runs."
    _replace(
        AutomationCore(
            name=SILENT,
            description="Of an application whose head did not move, whatever became of its runs.",
            trigger=EventTrigger(
                after={NEW_HEAD},
                expect={NEW_HEAD},
                match=ours,
                for_each={"prefect.resource.id"},
                posture=silent,
                threshold=1,
                within=dt.timedelta(days=stale_days),
            ),
            actions=[SendNotification(block_document_id=by, subject=SILENT, body=missed)],
        )
    )


def _block(name: str) -> UUID:
    kind, _, called = name.partition("/")
    with get_client(sync_client=True) as client:
        try:
            found = client.read_block_document_by_name(called, kind)
        except ObjectNotFound:
            raise NoBlockError(
                f"Prefect has no block '{called}' of type '{kind}': make it on the page Blocks, "
                "or by `prefect block register` and Python, and name it as type/name"
            ) from None
    return UUID(str(found.id))


def _replace(automation: AutomationCore) -> None:
    with get_client(sync_client=True) as client:
        for old in client.read_automations_by_name(automation.name):
            client.delete_automation(old.id)
        client.create_automation(automation)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("block", help="a notification block of Prefect, as type/name")
    given = parser.parse_args(arguments)
    try:
        pass_on(given.block, load_params().alerts.stale_days)
    except NoBlockError as problem:
        raise SystemExit(str(problem)) from problem


if __name__ == "__main__":
    main()
