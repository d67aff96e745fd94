"""A real browser, without a window, and Prefect's pages as a person uses them."""

import datetime as dt
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Locator, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",  # CI is root in a container
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PATIENCE = 20_000  # milliseconds


@contextmanager
def open_page(width: int = 1280, height: int = 1000) -> Iterator[Page]:
    """An empty page of Chromium; FileNotFoundError names the cure when there is none."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        raise FileNotFoundError(
            f"none of {', '.join(NAMES)} is installed: apt-get install chromium "
            "(macOS: brew install --cask google-chrome, and put it on PATH)"
        )
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(PATIENCE)
        try:
            yield page
        finally:
            browser.close()


def keep_picture(page: Page, name: str) -> None:
    """A picture for people, where DAYSHIFT_PICTURES names a folder, as CI does."""
    if folder := os.environ.get("DAYSHIFT_PICTURES"):
        page.screenshot(path=Path(folder, f"{name}.png"), full_page=True)


def open_form(page: Page, server: str, deployment: str) -> None:
    """The form of a custom run of the deployment with this id; every flow of ours asks for one."""
    page.goto(f"{server}/deployments/deployment/{deployment}/run")
    page.get_by_role("button", name="Submit").wait_for()
    _control(page, "application", "textarea").wait_for()


def choose(page: Page, name: str, option: str) -> None:
    """Choose one of the options of a parameter.

    The list is opened by a key: on a click Prefect 3.8 opens it and closes it at once.
    """
    _control(page, name, "button").press("ArrowDown")
    page.get_by_role("option", name=option, exact=True).click()


def write(page: Page, name: str, text: str) -> None:
    """Type the text of a parameter, key by key."""
    _control(page, name, "textarea").press_sequentially(text)


def set_update(page: Page, **settings: float) -> None:
    """Switch `update` from None to its group and fill in some of its fields."""
    page.get_by_role("button", name="UpdateSettings").click()
    for name, value in settings.items():
        title = name.replace("_", " ").title()
        _control(page, f"{title} (", "input").fill(str(value))


def set_through_day(page: Page, day: dt.date) -> None:
    """Switch `through_day` from None to a date and choose it."""
    page.get_by_role("button", name="date", exact=True).click()
    page.get_by_text("Select date").click()
    page.locator("input[type=date]").fill(day.isoformat())
    page.get_by_role("button", name="Apply").click()


def _control(page: Page, label: str, kind: str) -> Locator:
    """What a person fills in below a label that begins so."""
    found = f"//label[.//span[starts-with(., '{label}')]]/following::{kind}[1]"
    return page.locator(f"xpath={found}").first


def submit(page: Page) -> str:
    """Send the form; returns the id of the run that it created.

    Prefect on SQLite answers 503 where two writes meet; like a person, click again.
    """
    for _ in range(10):
        with page.expect_response(lambda answer: "create_flow_run" in answer.url) as created:
            page.get_by_role("button", name="Submit").click()
        if created.value.status != httpx.codes.SERVICE_UNAVAILABLE:
            break
        page.wait_for_timeout(1000)
    assert created.value.ok, created.value.text()
    return str(created.value.json()["id"])


def open_artifact(page: Page, server: str, run: str, key: str) -> None:
    """From the run's page to its first artifact of this key, by clicks."""
    page.goto(f"{server}/runs/flow-run/{run}")
    page.get_by_text("Artifacts", exact=True).click()
    page.get_by_text(key, exact=True).first.click()
    page.get_by_text("Show raw data").wait_for()
