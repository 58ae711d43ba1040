"""Reading our own Markdown: headings, tables, links. Not all of Markdown, but what our pages use."""

import re
from collections import Counter
from collections.abc import Iterator

Row = dict[str, str]

FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
CELL_END = re.compile(r"(?<!\\)\|")


def prose(text: str) -> str:
    """The page without its blocks of code."""
    return FENCED.sub("", text)


def links(text: str) -> list[str]:
    """Where the page's links and pictures lead."""
    return LINK.findall(CODE.sub("", prose(text)))


def anchors(text: str) -> set[str]:
    """The names by which links reach the page's headings, as GitHub makes them."""
    seen: Counter[str] = Counter()
    return {_numbered(_slug(heading), seen) for heading in HEADING.findall(prose(text))}


def _slug(heading: str) -> str:
    plain = LINK.sub("", heading).lower()
    return re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-")


def _numbered(slug: str, seen: Counter[str]) -> str:
    seen[slug] += 1
    return slug if seen[slug] == 1 else f"{slug}-{seen[slug] - 1}"


def table(text: str, heading: str, first_column: str) -> list[Row]:
    """The rows of the table with that first column under a heading, each cell by the name of its column."""
    section = re.split(rf"^#+ {re.escape(heading)}$", prose(text), flags=re.MULTILINE)[1]
    for found in re.findall(r"(?:^\|.*\n?)+", HEADING.split(section)[0], re.MULTILINE):
        names, _, *lines = map(_cells, found.splitlines())
        if names[0] == first_column:
            return [dict(zip(names, line, strict=True)) for line in lines]
    raise LookupError(f"no table of {first_column} under {heading}")


def _cells(line: str) -> list[str]:
    return [cell.strip().replace(r"\|", "|") for cell in CELL_END.split(line.strip())[1:-1]]


def codes(text: str) -> list[str]:
    """What is set as code in the line of a page."""
    return CODE.findall(text)


def snippets(text: str) -> Iterator[str]:
    """Everything that is set as code: each span, and each line of each block."""
    yield from codes(prose(text))
    for block in FENCED.findall(text):
        yield from (line.strip() for line in block.splitlines()[1:-1])
