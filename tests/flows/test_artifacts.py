"""What a run leaves in Prefect's UI."""

from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from prefect.artifacts import Artifact
from prefect.testing.utilities import prefect_test_harness

from flows import artifacts
from flows.markdown import as_text
from tasks import workspace
from tasks.records import Check, Increment
from tasks.update import UpdateSettings
from tests.tasks import made_up_nights as made_up
from tests.tasks.made_up_nights import APPLICATION, date, name

PAGE = workspace.REPORTS / APPLICATION / "2017-10-08" / "drift.html"


def increment(number: int) -> Increment:
    return Increment(
        application=APPLICATION,
        day=date(number),
        events="",
        items="",
        prices="",
        partitions={},
        parent=name(number - 1),
        predecessor=name(number - 1),
        anchor=name(2),
        looks={},
        update=UpdateSettings(),
        seed=0,
        code="",
    )


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What was handed to Prefect, by key."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DAYSHIFT_REPORTS_URL", raising=False)
    found: dict[str, Any] = {}
    for kind in ("markdown", "table", "link"):

        def create(content: Any, *, key: str, **_: str) -> None:
            found[key] = content

        monkeypatch.setattr(artifacts, f"create_{kind}_artifact", create)
    return found


def test_an_increment_leaves_verdict_metrics_and_a_link(left: dict[str, Any]) -> None:
    made_up.write_records(8, "promote")
    artifacts.show_increment(increment(8), name(8))
    assert set(left) == {f"{APPLICATION}-{what}" for what in ("verdict", "metrics", "drift")}
    assert left["recommendation-verdict"].startswith("## recommendation, 2017-10-08: promote")
    assert left["recommendation-drift"] == PAGE.resolve().as_uri()
    assert PAGE.exists()


def test_a_day_without_a_drift_page_has_no_link(left: dict[str, Any]) -> None:
    made_up.write_records(7, "keep")
    artifacts.show_increment(increment(7), name(7))
    assert set(left) == {"recommendation-verdict", "recommendation-metrics"}
    assert left["recommendation-metrics"] == []


def test_a_dry_run_leaves_its_plan_under_a_key_that_prefect_allows(left: dict[str, Any]) -> None:
    artifacts.show_plan("Next_Basket", "## a plan")
    assert left == {"next-basket-plan": "## a plan"}


def test_the_verdict_shows_alarms_and_each_check() -> None:
    text = artifacts.verdict_markdown(made_up.verdict(9, "keep"))
    assert "> **A person must look:** drift could not be evaluated: price &lt;lost&gt;" in text
    assert "Plan: fine tune: 4000 new rows\n" in text
    assert f"| **no** | {made_up.HOLDOUT} | +0.00120 | [-0.00800, +0.0104] |" in text
    assert (
        f"- **{made_up.HOLDOUT}:** failed, -0.00800 at worst, -0.00700 is allowed "
        "(margin 0.00700, n 72, looks 1, power 61%)"
    ) in text
    assert "Power: how likely" in text


def test_a_verdict_that_awaits_approval_says_how_to_answer() -> None:
    asked = made_up.verdict(8, "promote").model_copy(update={"awaits": "c0ffee" * 10})
    text = artifacts.verdict_markdown(asked)
    assert text.startswith("## recommendation, 2017-10-08: awaiting approval")
    assert "the gate would promote challenger c0ffeec0ffee.\n" in text
    command = f"python -m flows.approve --application {APPLICATION} --day 2017-10-08"
    assert f'```\n{command} \\\n    --decision approve --reason "..."\n```\n' in text


@pytest.mark.fault(9)
def test_what_others_wrote_is_text_and_never_markup() -> None:
    hostile = "<script>x()</script> ![](http://elsewhere/p.png) [a](b) `c` | d\n# e"
    shown = as_text(hostile)
    assert shown == (
        "&lt;script&gt;x()&lt;/script&gt; !\\[\\](http://elsewhere/p.png) "
        "\\[a\\](b) \\`c\\` \\| d # e"
    )
    check = Check(name=hostile, passed=False, why=hostile)
    verdict = made_up.verdict(8, "keep").model_copy(
        update={"reason": hostile, "plan": hostile, "alarms": (hostile,), "checks": (check,)}
    )
    text = artifacts.verdict_markdown(verdict)
    assert text.count(shown) == 6
    assert "<" not in text
    assert "![" not in text


def test_the_metric_that_decides_comes_first(left: dict[str, Any]) -> None:
    made_up.write_records(8, "promote")
    artifacts.show_increment(increment(8), name(8))
    table = left["recommendation-metrics"]
    assert [line["metric"] for line in table] == ["ndcg@20", "ndcg@10", "recall@10"]
    assert table[1]["champion"] == round(made_up.metrics(8, 0.31)["ndcg@10"], 4)
    assert list(table[0]) == ["metric", *artifacts.ROLES]


def test_reports_that_are_served_are_linked_by_their_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DAYSHIFT_REPORTS_URL", "http://shop:4210/")
    assert artifacts.report_url(PAGE) == "http://shop:4210/recommendation/2017-10-08/drift.html"


def test_a_backfill_has_keys_and_pages_of_its_own(
    left: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DAYSHIFT_REPORTS_URL", "http://shop:4210/")
    monkeypatch.setenv("DAYSHIFT_WORKSPACE", str(tmp_path / "live"))
    artifacts.show_plan(APPLICATION, "## a plan")
    assert set(left) == {f"backfill-{APPLICATION}-plan"}
    assert artifacts.report_url(PAGE).startswith("file://")


@pytest.mark.slow
def test_prefect_keeps_them_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made_up.write_records(8, "promote")
    with prefect_test_harness():
        flow(artifacts.show_increment)(increment(8), name(8))
        flow(artifacts.show_plan)(APPLICATION, "## a plan")
        get: Any = Artifact.get  # declared for both worlds, and this is the synchronous one
        kept = [get(f"{APPLICATION}-{what}") for what in ("verdict", "metrics", "drift", "plan")]
    found = [(one.type, one.flow_run_id is not None) for one in kept]
    assert found == [("markdown", True), ("table", True), ("markdown", True), ("markdown", True)]
