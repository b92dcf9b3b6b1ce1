"""The documentation builds without a warning, holds a page for every method, and fetches nothing from other sites."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

pytestmark = pytest.mark.xdist_group("site")  # it is built once

ROOT = Path(__file__).resolve().parents[2]
METHODS = sorted(path.parent.name for path in ROOT.glob("methods/*/__init__.py"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True))
    return folder


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_a_page_in_the_navigation(site: Path, method: str) -> None:
    assert (site / f"methods/{method}.html").is_file()
    assert f'href="methods/{method}.html"' in (site / "index.html").read_text(encoding="utf-8")


def test_nothing_is_fetched_from_other_sites(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > len(METHODS)
    fetched = re.compile(
        r'(?:<(?:script|img|iframe)[^>]*src|<link[^>]*rel="(?:stylesheet|preconnect|icon)"[^>]*href)="http'
    )
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not fetched.search(text), page
        assert 'class="mermaid"' not in text, f"{page}: the theme would fetch a script for this diagram"


def test_lists_and_tables_are_seen(site: Path) -> None:
    """The site reads Markdown more strictly than others do: what it took for plain text would be shown as one."""
    for page in site.rglob("*.html"):
        text = re.sub(r"<(pre|script)\b.*?</\1>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        missed = re.search(r"^\s*(?:[-*+]|\d+\.|\|) .*", text, re.MULTILINE)
        assert not missed, f"{page.name}: leave a line free before {missed[0]!r}, and indent inner lists by four"
