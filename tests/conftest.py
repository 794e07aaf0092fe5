"""One browser for all tests that a process runs, and pages in it."""

import pytest
from playwright.sync_api import sync_playwright

from .training.browsing import CHROMIUM


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
def open_page(browser):
    """Opens a file of ours in a window, and waits for a condition in JavaScript.

    What the pages complain of and ask for is kept, and must be nothing.
    """
    pages, said, asked, files = [], [], [], set()

    def open_it(path, ready, width=1280, height=900, scheme="light"):
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_function(ready)
        pages.append(page)
        files.add(path.as_uri())
        return page

    yield open_it
    for page in pages:
        page.close()
    assert said == []
    assert {url for url in asked if not url.startswith(("data:", "blob:"))} == files
