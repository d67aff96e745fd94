"""The report as a person meets it: a browser without a network, on a desk and on a phone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tasks import workspace
from tasks.ledger import Ledger
from tasks.params import load_params
from tasks.report import write_report
from tests.flows import browser
from tests.tasks import made_up_nights as made_up
from tests.tasks.made_up_nights import APPLICATION

pytestmark = pytest.mark.slow
PARAMS = load_params()
FIGURES = 9
PHONE = 390
# Where plotly has drawn the n-th point of a figure's trace, in pixels of the window.
PLACE = """([figure, name, number]) => {
  const place = document.getElementById(figure);
  place.scrollIntoView({block: "center", behavior: "instant"});
  const trace = place._fullData.find((one) => one.name === name);
  const [across, up] = [trace.xaxis, trace.yaxis].map(
    (id) => place._fullLayout[id[0] + "axis" + id.slice(1)]);
  const box = place.getBoundingClientRect();
  return [box.left + across._offset + across.d2p(trace.x[number]),
          box.top + up._offset + up.d2p(trace.y[number])];
}"""
# How far to the right any cell of a check goes: why it failed must not need a scroll.
FARTHEST = """() => Math.max(0, ...[...document.querySelectorAll(".checks td")].map(
  (cell) => cell.getBoundingClientRect().right))"""


@pytest.fixture
def reports(made_up_ledger: Ledger) -> Path:
    reason = "<b onclick='x()'>bad</b> labels, " + 40 * "long"
    made_up.go_back_to(made_up_ledger, 8, 9, reason=reason)
    write_report(made_up_ledger, APPLICATION, PARAMS)
    return workspace.REPORTS.resolve()


@contextmanager
def opened(file: Path, width: int = 1440) -> Iterator[Page]:
    """The page without a network; at the end it has complained of nothing."""
    with browser.open_page(width, 900) as page:
        said: list[str] = []
        page.on("pageerror", lambda problem: said.append(str(problem)))
        page.on("console", lambda message: said.append(message.text))
        page.on("requestfailed", lambda request: said.append(request.url))
        page.context.set_offline(True)
        page.goto(file.as_uri())
        yield page
        assert said == []


def click(page: Page, figure: str, name: str, number: int) -> None:
    """As a person does: the pointer goes there first."""
    place = f"#{figure} .plotly .draglayer"
    page.locator(place).first.wait_for()
    x, y = page.evaluate(PLACE, [figure, name, number])
    page.mouse.move(x - 3, y)
    page.mouse.move(x, y)
    page.locator(f"#{figure} .hoverlayer .hovertext").first.wait_for()
    page.mouse.click(x, y)


def test_every_figure_is_drawn_without_a_network(reports: Path) -> None:
    with opened(reports / APPLICATION / "index.html") as page:
        expect(page.locator(".plot .main-svg .draglayer")).to_have_count(FIGURES)
        expect(page.get_by_text("Nothing to show yet.")).to_have_count(0)
        browser.keep_picture(page, "report")


@pytest.mark.parametrize(
    ("figure", "name", "number", "day"),
    [("quality-0", "roll back", 0, "2017-10-06"), ("drift", "skip", 0, "2017-10-07")],
)
def test_a_click_on_a_point_opens_the_verdict_of_its_day(
    reports: Path, figure: str, name: str, number: int, day: str
) -> None:
    with opened(reports / APPLICATION / "index.html") as page:
        verdict = page.locator(f"#day-{day} + .more")
        expect(verdict.get_by_text("Plan:")).to_be_hidden()
        click(page, figure, name, number)
        expect(verdict.get_by_text("Plan:")).to_be_in_viewport()
        assert page.url.endswith(f"#day-{day}")
        verdict.get_by_role("link", name="verdict.json").click()
        expect(page.locator("body")).to_contain_text(f'"day": "{day}"')


def test_a_point_of_a_day_set_aside_leads_to_its_row(reports: Path) -> None:
    with opened(reports / APPLICATION / "index.html") as page:
        click(page, "quality-1", "quarantined", 0)
        expect(page.locator("#day-2017-10-05")).to_be_in_viewport()


def test_the_keyboard_gets_to_the_links_of_a_day(reports: Path) -> None:
    with opened(reports / APPLICATION / "index.html") as page:
        page.locator("#day-2017-10-08 + .more summary").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#day-2017-10-08 + .more").get_by_text("Plan:")).to_be_visible()
        for _ in range(4):  # over the table that scrolls, to the first link
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent") == "verdict.json":
                return
        pytest.fail("the link is not reached")


@pytest.mark.parametrize("name", ["index.html", f"{APPLICATION}/index.html"])
def test_nothing_is_wider_than_a_phone(reports: Path, name: str) -> None:
    with opened(reports / name, PHONE) as page:
        browser.keep_picture(page, f"phone-{name.replace('/', '-').removesuffix('.html')}")
        for closed in page.locator("details").all():
            closed.locator("summary").click()
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE
        assert page.evaluate(FARTHEST) < PHONE


def test_the_index_leads_to_the_last_decision_and_back(reports: Path) -> None:
    with opened(reports / "index.html") as page:
        page.get_by_role("link", name="2017-10-09").click()
        expect(page.locator("#day-2017-10-09")).to_be_in_viewport()
        page.get_by_role("link", name="All applications").click()
        expect(page.get_by_role("heading", name="Dayshift: applications")).to_be_visible()
