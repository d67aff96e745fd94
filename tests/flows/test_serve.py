"""`make serve` as a person meets it: pages in a browser, the command line, the clock."""

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from flows.server import POOL, ServerError, check_free
from tasks import workspace
from tasks.score import LATEST
from tests import line
from tests.flows import browser
from tests.flows.serving import DAILY, ENDED, Served, ask, serving, wait_for
from tests.line import APPLICATION, nth
from tests.runs import Flows

pytestmark = pytest.mark.slow

OF_A_DEPLOYMENT = (
    "flow_id", "entrypoint", "path", "pull_steps", "work_pool_name", "job_variables",
    "parameter_openapi_schema", "enforce_parameter_schema",
)  # fmt: skip


@pytest.fixture(scope="module")
def served(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The made-up shop, served until the last test."""
    root = tmp_path_factory.mktemp("served") / "place"
    with line.open_copy(template, root) as place, serving(place) as found:
        yield found


@pytest.fixture(scope="module")
def every_minute(served: Served) -> str:
    """A second deployment of the daily flow, a dry run each minute; first, so that time passes."""
    model = served.deployment(DAILY)
    created = served.ask(
        "POST",
        "/deployments/",
        name="every-minute",
        parameters={"application": APPLICATION, "dry_run": True},
        schedules=[{"schedule": {"cron": "* * * * *", "timezone": "Asia/Tokyo"}}],
        **{key: model[key] for key in OF_A_DEPLOYMENT},
    )
    return str(created["id"])


def test_every_deployment_is_there_and_describes_its_parameters(
    served: Served, every_minute: str
) -> None:
    """Also: one run of an application at a time."""
    found = {one["id"]: one for one in served.ask("POST", "/deployments/filter", limit=50)}
    del found[every_minute]
    flows = sorted(one["entrypoint"].rpartition(":")[2] for one in found.values())
    assert flows == [
        "approve", "backfill", "backfill", "bootstrap", "collect", "daily_increment", "land",
        "rollback", "score", "settle",
    ]  # fmt: skip
    for one in found.values():
        for name, parameter in one["parameter_openapi_schema"]["properties"].items():
            assert parameter["description"], (one["entrypoint"], name)
    daily = served.deployment(DAILY)
    assert daily["global_concurrency_limit"]["limit"] == 1
    assert daily["concurrency_options"]["collision_strategy"] == "ENQUEUE"
    wait_for(lambda: served.deployment(DAILY)["status"] == "READY", 30)


@pytest.mark.fault(39)
def test_the_night_is_scheduled_by_the_shop_s_clock(served: Served) -> None:
    nightly = served.deployment(DAILY)["id"]
    runs = wait_for(lambda: served.runs(nightly, any_=["SCHEDULED"]), 30)
    zone = ZoneInfo("America/New_York")
    expected = [dt.datetime.fromisoformat(one["expected_start_time"]) for one in runs]
    assert {one.astimezone(zone).strftime("%H:%M") for one in expected} == {"03:15"}
    assert len(runs) >= 3


@pytest.mark.fault(39)
def test_a_dry_run_from_the_command_line(served: Served) -> None:
    before = served.place.line
    command = ["prefect", "deployment", "run", DAILY, "--watch", "--param", "dry_run=true"]
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env=os.environ | {"PREFECT_API_URL": f"{served.server}/api"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert served.place.line == before
    plan = served.ask("GET", f"/artifacts/{APPLICATION}-plan/latest")["data"]
    assert f"It would first learn **{nth(1)}**" in plan


def test_a_run_from_the_form_learns_and_shows_it(served: Served) -> None:
    usual = served.place.params.application(APPLICATION).fine_tune
    with browser.open_page() as page:
        browser.open_form(page, served.server, served.deployment(DAILY)["id"])
        browser.set_through_day(page, nth(2))
        browser.set_update(page, epochs=2, learning_rate=0.0002)
        browser.keep_picture(page, "form")
        run = served.ended(browser.submit(page))
        assert run["state_name"] == "Completed", run["state"]["message"]
        assert run["name"] == f"{APPLICATION} through day {nth(2)}"
        browser.open_artifact(page, served.server, run["id"], f"{APPLICATION}-verdict")
        assert page.get_by_role("cell", name="enough held-out users").is_visible()
        browser.keep_picture(page, "verdict")
        browser.open_artifact(page, served.server, run["id"], f"{APPLICATION}-drift")
        with page.expect_popup() as tab:
            page.get_by_role("link", name="Evidently").click()
        tab.value.get_by_text("Drift in column").first.wait_for()
    assert served.place.line.day == nth(2)
    newest = served.place.root / workspace.OUTPUTS / APPLICATION / LATEST
    wait_for(newest.is_symlink, 60)  # the event of the new head has started `score`
    assert newest.readlink().name == served.place.line.head
    pinned = json.loads(Path("increments.json").read_text())["increments"][APPLICATION]
    assert pinned["update"] == usual.model_dump() | {"epochs": 2, "learning_rate": 0.0002}


def test_an_unknown_application_is_refused_by_name(served: Served) -> None:
    daily = served.deployment(DAILY)["id"]
    asked = {"parameters": {"application": "reccomendation"}}
    run = served.ask("POST", f"/deployments/{daily}/create_flow_run", **asked)
    ended = served.ended(run["id"])
    assert ended["state_type"] == "FAILED"
    assert "no application 'reccomendation'; it has: recommendation" in ended["state"]["message"]


@pytest.mark.fault(39)
def test_a_schedule_really_fires(served: Served, every_minute: str) -> None:
    wait_for(lambda: served.runs(every_minute, any_=["SCHEDULED"]), 30)
    first, *_ = wait_for(lambda: served.runs(every_minute, any_=sorted(ENDED)), 90)
    assert first["state_name"] == "Completed", first["state"]["message"]
    assert first["auto_scheduled"]
    assert first["name"] == f"{APPLICATION} all days due (dry run)"


def test_a_port_that_is_taken_is_refused(served: Served) -> None:
    """Else a workspace would register its deployments with the server of another one."""
    port = int(served.server.rpartition(":")[2])
    with pytest.raises(ServerError, match=f"port {port} is in use.*make serve PORT="):
        check_free(port)


@pytest.mark.fault(23)
def test_a_run_whose_worker_was_stopped_gives_its_slot_back(flows: Flows) -> None:
    """Else it runs for ever in Prefect's eyes, and no later run of its deployment begins."""
    api = flows.environment["PREFECT_API_URL"]
    flow = ask(api, "POST", "/flows/", name="lost")["id"]

    def begin_in(pool: str) -> tuple[str, str]:
        """A run that has begun, and its deployment."""
        ask(api, "POST", "/work_pools/", name=pool, type="process")
        made = ask(api, "POST", "/deployments/", name=pool, flow_id=flow, concurrency_limit=1,
                   work_pool_name=pool)["id"]  # fmt: skip
        run = ask(api, "POST", f"/deployments/{made}/create_flow_run", state={"type": "SCHEDULED"})
        for state in ("PENDING", "RUNNING"):
            moved = ask(api, "POST", f"/flow_runs/{run['id']}/set_state", state={"type": state})
            assert moved["status"] == "ACCEPT"
        return run["id"], made

    def found(run: str, made: str) -> tuple[str, int]:
        limit = ask(api, "GET", f"/deployments/{made}")["global_concurrency_limit"]
        return ask(api, "GET", f"/flow_runs/{run}")["state_type"], limit["active_slots"]

    ours, theirs = begin_in(POOL), begin_in("another-teams")
    assert found(*ours) == found(*theirs) == ("RUNNING", 1)
    with chdir(line.ROOT):
        done = flows.run("-m", "flows.lost_runs")
    assert done.code == 0, done.said
    assert "1 runs given up" in done.said
    assert found(*ours) == ("CRASHED", 0)
    assert found(*theirs) == ("RUNNING", 1)
    message = ask(api, "GET", f"/flow_runs/{ours[0]}")["state"]["message"]
    assert "its worker was stopped" in message
