"""The pages of the documentation: what they name is there, and what they quote is what the compiler prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "grammar/LANGUAGE.md"]
MOST_LINES = 200
NEW = "ring"  # the topology that CONTRIBUTING adds, by way of example
PATH = re.compile(r"`((?:[\w.]+/)+[\w.]*|\w+\.(?:py|lark))`")
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`[^`\n]+`")


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    prose = CODE.sub("", FENCE.sub("", page.read_text()))
    links = re.findall(r"\]\(([^)\s]+)\)", prose)
    for link in (link for link in links if "://" not in link):
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_every_file_that_a_page_for_developers_names_is_there(name: str) -> None:
    found = [path for path in PATH.findall((ROOT / "docs" / name).read_text()) if not re.search(f"NAME|{NEW}", path)]
    assert len(found) > 15
    # A file without a folder stands beside one that was named with it.
    beside = {(ROOT / base / path).parent for path in found for base in (".", "blurc")}
    missing = [p for p in found if not any((folder / p).exists() for folder in (ROOT, ROOT / "blurc", *beside))]
    assert missing == []


def test_the_stages_in_architecture_are_what_the_compiler_prints() -> None:
    printed = "".join(p.read_text() for p in (ROOT / "tests/plan/golden").glob("xor.backprop.*.txt"))
    known = {" ".join(line.split()) for line in printed.splitlines()}
    page = (ROOT / "docs/ARCHITECTURE.md").read_text()
    quoted = [
        line for fence in re.findall(r"^```\n(.*?)^```$", page, re.DOTALL | re.MULTILINE) for line in fence.splitlines()
    ]
    lines = [" ".join(line.split("# --emit")[0].split()) for line in quoted]
    assert len(lines) > 20
    assert [
        line for line in lines if line not in (*known, "..") and "dot_general" not in line and "tanh k" not in line
    ] == []


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= MOST_LINES
