"""The glossary, and the links that lead to it."""

import re

import pytest

from labcourse import settings
from workshop.authoring import source

HOME = settings.home()
ENTRY = re.compile(r'^<a id="([a-z0-9-]+)"></a>\*\*([^*]+)\.\*\* (.+)$', re.MULTILINE)
ENTRIES = ENTRY.findall((HOME / "course" / "glossary.md").read_text("utf-8"))
CHAPTERS = source.read_all(HOME)
#: The chapters whose words are linked.
LINKED = [1, 2, 3, 4, 5, 6, 7, 8]


def test_each_line_is_a_term_with_an_anchor_of_its_own() -> None:
    text = (HOME / "course" / "glossary.md").read_text("utf-8")
    anchors, terms = [anchor for anchor, _, _ in ENTRIES], [term.lower() for _, term, _ in ENTRIES]
    assert len(ENTRIES) == text.count("<a ") >= 50
    assert len(set(anchors)) == len(set(terms)) == len(ENTRIES)
    assert terms == sorted(terms)


@pytest.mark.parametrize(("anchor", "term", "text"), ENTRIES, ids=[anchor for anchor, _, _ in ENTRIES])
def test_a_term_is_explained_in_one_to_three_sentences(anchor: str, term: str, text: str) -> None:
    assert text.endswith(".")
    assert 1 <= len(re.findall(r"[.?](?= |$)", text)) <= 3
    assert term[0] == term[0].upper() or term == "p-value"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_linked_terms_exist(chapter: source.Source) -> None:
    text = "\n".join(cell.text for cell in chapter.cells if cell.kind == "markdown")
    links = re.findall(r"\]\(([^)\s]*glossary[^)\s]*)\)", text)
    known = {f"../course/glossary.md#{anchor}" for anchor, _, _ in ENTRIES}
    assert set(links) <= known
    assert len(links) == len(set(links)), "a term is linked where it first matters"
    assert links or chapter.chapter not in LINKED
