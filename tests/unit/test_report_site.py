"""The documentation site's hooks: pages that are found, links that lead somewhere, diagrams without a script."""

from __future__ import annotations

from pathlib import Path

import pytest
from pymdownx.superfences import SuperFencesException

from common.report.site import diagram, method_pages, on_config, page_of, relinked, source_of


def test_pages_of_methods_are_found(tmp_path: Path) -> None:
    for method in ("b", "a"):
        (tmp_path / "methods" / method).mkdir(parents=True)
        (tmp_path / "methods" / method / "README.md").write_text(f"# {method}\n")
    (tmp_path / "methods/without").mkdir()
    assert method_pages(tmp_path) == {"a": "methods/a.md", "b": "methods/b.md"}
    config = {"config_file_path": str(tmp_path / "mkdocs.yml"), "nav": [{"Start": "index.md"}, {"Methods": "methods/"}]}
    assert on_config(config)["nav"][1] == {"Methods": ["methods/a.md", "methods/b.md"]}


@pytest.mark.parametrize("path", ["README.md", "CONTRIBUTING.md", "docs/data.md", "methods/irnet/README.md"])
def test_a_page_knows_its_file(path: str) -> None:
    assert source_of(page_of(path)) == path


@pytest.mark.parametrize(
    ("path", "link", "becomes"),
    [
        ("README.md", "methods/irnet/README.md", "methods/irnet.md"),
        ("README.md", "docs/data.md#layout", "data.md#layout"),
        ("docs/data.md", "../README.md", "index.md"),
        ("docs/data.md", "img/a.png", "img/a.png"),
        ("methods/irnet/README.md", "model.py", "../source/methods/irnet/model.py.md"),
        ("methods/irnet/README.md", "../../configs/irnet/x.py", "../source/configs/irnet/x.py.md"),
        ("methods/irnet/README.md", "../../docs/protocols.md", "../protocols.md"),
        ("methods/irnet/README.md", "../seam/README.md", "seam.md"),
        ("methods/irnet/README.md", "img/walk.png", "irnet/img/walk.png"),
        ("docs/data.md", "https://example.org/a.md", "https://example.org/a.md"),
        ("docs/data.md", "#layout", "#layout"),
    ],
)
def test_links_lead_to_the_page_of_the_site(path: str, link: str, becomes: str) -> None:
    assert relinked(f"see [it]({link}), ![or]({link})", path) == f"see [it]({becomes}), ![or]({becomes})"


def test_code_is_no_link() -> None:
    text = "`a[0](README.md)`\n\n```python\na[0](README.md)\n```\n"
    assert relinked(text, "docs/data.md") == text


def test_a_diagram_is_drawn_without_a_script() -> None:
    html = diagram(
        "flowchart LR\n    a([photos]) --> b[cam<br>a long line of a label, broken]\n", "mermaid", "", {}, None
    )
    assert "<svg" in html and "<script" not in html and "<img" not in html
    for words in ("photos", "cam", "a long line of a", "label, broken"):
        assert f">{words}<" in html
    with pytest.raises(SuperFencesException, match="cannot be drawn"):
        diagram("flowchart LR\n    a[b --> \n", "mermaid", "", {}, None)
