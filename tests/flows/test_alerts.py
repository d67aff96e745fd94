"""An alert reaches Prefect's feed, the report's page and, by the operator's block, a person."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tasks import workspace
from tests.faults.test_bad_days import land_changed
from tests.flows.serving import ask, wait_for
from tests.line import APPLICATION, Place, nth
from tests.runs import Flows

pytestmark = pytest.mark.slow
EVENT = "dayshift.alert.quarantine"
BLOCK = """
from prefect.blocks.notifications import CustomWebhookNotificationBlock as Webhook
sent = {"subject": "{{subject}}", "body": "{{body}}"}
Webhook(name="ops", url="%s", json_data=sent, allow_private_urls=True).save("ops", overwrite=True)
"""


@contextmanager
def listening() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An address on this machine, and what is sent to it."""
    heard: list[dict[str, Any]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", heard
        server.shutdown()


def events(api: str, since: datetime) -> list[dict[str, Any]]:
    """The alerts of this test: its server is shared with others."""
    wanted = {"event": {"name": [EVENT]}, "occurred": {"since": since.isoformat()}}
    found: list[dict[str, Any]] = ask(api, "POST", "/events/filter", filter=wanted)["events"]
    return found


def test_a_day_set_aside_calls_a_person(caught_up: Place, flows: Flows) -> None:
    api = flows.environment["PREFECT_API_URL"]
    missing = flows.run("-m", "flows.alerts", "custom-webhook/nobody")
    assert missing.code == 1
    assert "Prefect has no block 'nobody' of type 'custom-webhook'" in missing.said
    with listening() as (address, heard):
        for arguments in (("-c", BLOCK % address), ("-m", "flows.alerts", "custom-webhook/ops")):
            done = flows.run(*arguments)
            assert done.code == 0, done.said
        made = ask(api, "POST", "/automations/filter", limit=200)
        ours = [one for one in made if one["name"].startswith("dayshift: ")]
        try:
            assert len(ours) == 2
            land_changed(caught_up, 5, lambda rows: rows.drop(columns="user_id"))
            began = datetime.now(UTC)
            assert flows.daily().code != 0
            (event,) = wait_for(lambda: events(api, began), 30)
            wait_for(lambda: heard, 60)
        finally:
            for one in ours:
                flows.run("-m", "prefect", "automation", "delete", "--id", one["id"])
    assert event["resource"]["prefect.resource.id"] == f"dayshift.{APPLICATION}"
    told = event["payload"]
    assert (told["kind"], told["day"]) == ("quarantine", str(nth(5)))
    assert "column 'user_id' is missing" in told["reason"]
    assert "Land it again" in told["cure"]
    assert heard[0]["subject"] == f"{APPLICATION}: quarantine"
    assert heard[0]["body"] == f"{nth(5)}: {told['reason']}\n{told['cure']}"
    page = (workspace.REPORTS / APPLICATION / "index.html").read_text()
    assert '<ul class="alerts"><li><b>quarantine</b>' in page
