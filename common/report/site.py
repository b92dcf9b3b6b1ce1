"""The documentation site's hooks for mkdocs: pages that stand elsewhere in the repository are found, not copied.

docs/*.md are pages as they are. README.md becomes the start page, CONTRIBUTING.md and every methods/<name>/README.md a
page each; a file of the repository that a page links to is shown with its code. Links are written relative to
their file and are turned into links of the site here.
"""

from __future__ import annotations

import posixpath
import re
import textwrap
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

__all__ = ["diagram", "method_pages", "on_config", "on_files", "on_page_markdown", "page_of", "relinked", "source_of"]

_MOVED = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md"}
_CODE = {".py", ".toml", ".json", ".txt", ".yml", ".sh"}
# A fenced block or a code span, in which nothing is a link, or the target of a link.
_LINK = re.compile(r"(?P<code>^```.*?^```|`[^`\n]*`)|(?P<head>\]\()(?P<target>[^)\s]+)", re.DOTALL | re.MULTILINE)

# A line of a diagram's label that merm breaks when it draws but not when it measures: it is broken before.
_LONG = re.compile(r"(?<=<br>)[^<>\[\](){}\"|\n]{23,}")


def method_pages(root: Path) -> dict[str, str]:
    """Method -> its page in the site, for every method that has one."""
    return {path.parent.name: f"methods/{path.parent.name}.md" for path in sorted(root.glob("methods/*/README.md"))}


def page_of(path: str) -> str:
    """Where the site has a file of the repository: 'methods/irnet/README.md' -> 'methods/irnet.md'."""
    if path in _MOVED:
        return _MOVED[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if match := re.fullmatch(r"methods/(\w+)/README\.md", path):
        return f"methods/{match[1]}.md"
    return f"source/{path}.md" if Path(path).suffix in _CODE else path


def source_of(page: str) -> str:
    """The file of the repository that a written page comes from: the inverse of `page_of`."""
    for path, moved in _MOVED.items():
        if page == moved:
            return path
    match = re.fullmatch(r"methods/(\w+)\.md", page)
    return f"methods/{match[1]}/README.md" if match else f"docs/{page}"


def relinked(text: str, path: str) -> str:
    """Markdown of the file `path` with its links as the site needs them; addresses and anchors stay."""

    def link(match: re.Match) -> str:
        target = match["target"] and _target(path, match["target"])
        if not target:
            return match[0]
        page = posixpath.relpath(page_of(target), posixpath.dirname(page_of(path)))
        anchor = urlsplit(match["target"]).fragment
        return f"{match['head']}{page}{f'#{anchor}' if anchor else ''}"

    return _LINK.sub(link, text)


def on_config(config: Any) -> Any:
    """Put the methods' pages where the navigation says `methods/`."""
    pages = list(method_pages(_root(config)).values())
    config["nav"] = [{"Methods": pages} if entry == {"Methods": "methods/"} else entry for entry in config["nav"]]
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that stand outside docs/, and the files that pages link to."""
    from mkdocs.structure.files import File, InclusionLevel

    root = _root(config)
    pages = [*_MOVED, *map(source_of, method_pages(root).values())]
    for path in pages:
        files.append(File.generated(config, page_of(path), content=(root / path).read_text(encoding="utf-8")))
    written = [*pages, *(f"docs/{file.src_uri}" for file in files.documentation_pages() if file.abs_src_path)]
    for path in sorted({target for page in written for target in _targets(root, page)} - set(written)):
        if path.startswith("docs/") or not (root / path).is_file():
            continue
        if Path(path).suffix in _CODE:
            content, hidden = _code_page(root, path), InclusionLevel.NOT_IN_NAV
            files.append(File.generated(config, page_of(path), content=content, inclusion=hidden))
        else:
            files.append(File.generated(config, page_of(path), abs_src_path=str(root / path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Turn a page's links into links of the site."""
    uri = page.file.src_uri
    return markdown if uri.startswith("source/") else relinked(markdown, source_of(uri))


def diagram(source: str, language: str, css_class: str, options: dict, md: Any, **more: Any) -> str:
    """A Mermaid diagram as SVG, drawn while the site is built: the page needs neither script nor network.

    Raises:
        SuperFencesException: the diagram cannot be read.
    """
    from merm import render_diagram
    from merm.theme import DEFAULT_THEME
    from pymdownx.superfences import SuperFencesException

    ink, font = "var(--md-default-fg-color)", "var(--md-text-font-family)"
    theme = DEFAULT_THEME.replace(
        node_fill="var(--md-code-bg-color)",
        node_stroke="var(--md-primary-fg-color)",
        node_text_color=ink,
        edge_stroke=ink,
        text_color=ink,
        font_family=font,
        background_color="transparent",
        rank_sep=28.0,
    )
    try:
        drawn = render_diagram(_LONG.sub(_wrapped, source).replace("<br>", "<br/>"), theme=theme)
    except Exception as error:  # a parser's: anything may go wrong in it
        raise SuperFencesException(f"This Mermaid diagram cannot be drawn ({error}):\n{source}") from error
    return f'<div class="diagram">{drawn}</div>'


def _wrapped(line: re.Match) -> str:
    return "<br>".join(textwrap.wrap(line[0], 22))


def _root(config: Any) -> Path:
    return Path(config["config_file_path"]).resolve().parent


def _targets(root: Path, page: str) -> set[str]:
    text = (root / page).read_text(encoding="utf-8")
    found = (_target(page, match["target"]) for match in _LINK.finditer(text) if match["target"])
    return {target for target in found if target}


def _target(path: str, link: str) -> str | None:
    """The file of the repository that a link in `path` means; None for an address or an anchor."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc or not parts.path:
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), parts.path))


def _code_page(root: Path, path: str) -> str:
    fence, language = "`" * 8, Path(path).suffix[1:]
    code = (root / path).read_text(encoding="utf-8")
    return f"---\nsearch: {{ exclude: true }}\n---\n# {path}\n\n{fence}{language}\n{code}\n{fence}\n"
