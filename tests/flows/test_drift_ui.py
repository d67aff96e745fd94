"""`make drift-ui` as a person meets it: Evidently's pages in a browser, without a network."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flows.server import free_port
from tests.flows import browser
from tests.flows.serving import wait_for
from tests.line import APPLICATION, Place, nth

pytestmark = pytest.mark.slow


@pytest.fixture
def address(seasoned: Place) -> Iterator[str]:
    """Evidently's UI over three nights."""
    port, said = free_port(), Path("drift-ui.log")
    with said.open("w") as log:
        command = [sys.executable, "-m", "flows.drift_ui", "--port", str(port)]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_for(lambda: answers(f"http://127.0.0.1:{port}/"), 90)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


def answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


def test_the_project_shows_each_night_and_its_columns(address: str) -> None:
    with browser.open_page() as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        page.get_by_text(APPLICATION).first.click()
        page.get_by_text("Population stability index, by column").wait_for()
        page.get_by_text("item_bucket").wait_for()
        browser.keep_picture(page, "drift-ui")
        page.get_by_role("tab", name="Reports").click()
        page.get_by_text(f"{nth(2)}: keep").wait_for()
        browser.keep_picture(page, "drift-ui-nights")
    elsewhere = [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    assert elsewhere == []
