"""README.md and the pages under docs/: figures of the newest records, links that lead somewhere, a site for any screen.

Their blocks of code are tests too; see conftest.py.
"""

import re
import subprocess
import sys

import pytest
from cogapp import Cog

from tests.training.browsing import check_page, needs_chromium

from .tour import TOUR

DOCS = TOUR.parent
ROOT = DOCS.parent
PAGES = sorted(path.relative_to(DOCS).with_suffix(".html") for path in [*DOCS.rglob("*.md"), TOUR])


def build(source, site):
    """What `make docs` runs, on any folder with its configuration."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", DOCS, source, site]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    built = build(DOCS, folder)
    assert (built.returncode, built.stderr) == (0, "")
    return folder


def test_readme_and_pages_show_the_newest_records(monkeypatch, capsys):
    """`make figures` puts them there."""
    monkeypatch.chdir(ROOT)
    pages = [f"docs/{path.name}" for path in DOCS.glob("*.md")]
    assert Cog().main(["cog", "-P", "--check", "-I", ".", "README.md", *pages]) == 0, capsys.readouterr().out


def test_readme_fits_a_reading_and_its_links_lead_somewhere():
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 245
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]


def test_a_link_that_leads_nowhere_fails_the_build(tmp_path):
    (tmp_path / "index.md").write_text("# Planted\n\n[to a page](missing.md), [to a section](index.md#missing)\n")
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "site.css").touch()
    built = build(tmp_path, tmp_path / "site")
    assert built.returncode == 1
    assert built.stderr.count("[myst.xref_missing]") == 2


@needs_chromium
def test_every_page_of_the_site_fits_every_screen_and_asks_no_network(site, browser):
    asked = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    for path in PAGES:
        page.goto((site / path).as_uri())
        page.add_style_tag(content=".sidebar-drawer, .toc-drawer { display: none }")  # which a button slides in
        check_page(page)
    page.close()
    assert len(asked) > len(PAGES)
    assert not [url for url in asked if not url.startswith(("file:", "data:"))]
