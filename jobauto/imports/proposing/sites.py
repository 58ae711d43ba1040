"""Which column, or which part of the file's name, says the site."""

import re
from collections.abc import Iterator, Mapping, Sequence

from ..profiles.cells import as_text
from .columns import Column
from .draft import Draft
from .words import with_example

_OF_NAMES = re.compile(
    r"(.*\b(site|plant|station|asset|property))?[ _]?name"
    r"|site|plant|station|property|(.* )?(address|location)",
    re.IGNORECASE,
)
"""The names of columns that say what sites are called."""
ONE_SITE = "constant"
MOST_COLUMNS = 60
"""Of so many columns the names are looked for in the fleet."""
_PART = re.compile(r"[_ .]+")
_NO_SITE = re.compile(
    r"[a-z]+|[0-9]{1,5}|Q[1-4]"
    r"|(?i:daily|data|day|export|file|hourly|inverter|meter|metering|monthly|month|readings?|reads|report)"
    r"|(19|20)[0-9]{2}-?(0[1-9]|1[0-2])(-?[0-3][0-9](T?[0-9]{4}([0-9]{2})?)?)?"
    r"|[0-9]{1,2}-[0-9]{1,2}-([0-9]{2}){1,2}"
)
"""Parts of a file's name that are words, small numbers or dates."""


def site(draft: Draft) -> None:
    """Propose where the site stands: names of the fleet count more than those of columns."""
    if draft.text("layout") == "wide_sites":
        return
    free = [
        column
        for column in draft.columns
        if column not in draft.time and column.at not in draft.clocks and column.may_hold_names
    ]
    named = [column for column in free if column.may_be_site]
    parts = dict(parts_of(draft.sample.file_name))
    own, reason = _best_site(draft, free, named, parts)
    if "site_constant" in draft.answers and "site" not in draft.answers:
        own = own or ONE_SITE  # who has typed it has said so
    ordered = [*named, *(column for column in free if column not in named)]
    options = [(f"column:{column.ref}", f"The column {with_example(column)}") for column in ordered]
    options += [
        (f"name:{pattern}", f"The file's name: {text}")
        for text, pattern in parts.items()
        if not _NO_SITE.fullmatch(text) or own == f"name:{pattern}"
    ]
    draft.settle("site", own, reason, [*options, (ONE_SITE, "One site for the whole file")])
    if draft.text("site") == ONE_SITE:
        ask_for_site(draft, "All rows are of one site. Which?")
    elif not draft.text("site"):
        draft.settle("site_constant", "", "Only where all rows are of one site.")
    draft.site = draft.chosen_one("site", "column:")
    cells = draft.site.texts if draft.site else []
    if sum(text.startswith('="') for text in cells) * 2 > len(cells):
        draft.settle("strip", '="', f"Its cells are written {cells[0]}.")
    if draft.site:
        _names(draft, draft.site)


def _names(draft: Draft, site: Column) -> None:
    """The names of the sites: the first column that is called so and has one text, no number, for each."""
    signs = draft.text("strip") or None
    ids = [as_text(cell).strip(signs).strip() for cell in site.cells]
    for column in draft.columns:
        if column is site or column.is_time or column.is_number or not _OF_NAMES.fullmatch(column.name):
            continue
        pairs = {pair for pair in zip(ids, map(as_text, column.cells), strict=True) if all(pair)}
        names = dict(pairs)
        if names and len(names) == len(pairs) and not any(name.isdigit() for name in names.values()):
            draft.found.names_from, draft.found.site_names = column.label, names
            return


def _best_site(
    draft: Draft, free: Sequence[Column], named: Sequence[Column], parts: Mapping[str, str]
) -> tuple[str | None, str]:
    free = free[:MOST_COLUMNS]
    known = {column.at: draft.is_site(column.names) for column in free}
    best = max(free, key=lambda column: len(known[column.at]), default=None)
    if best is not None and (found := known[best.at]):
        told = (
            f"{min(found)} is a site of the fleet."
            if len(found) == 1
            else f"{len(found)} of its names are sites of the fleet, such as {min(found)}."
        )
        return f"column:{best.ref}", told
    if len(known_parts := draft.is_site(list(parts))) == 1:
        (part,) = known_parts
        return f"name:{parts[part]}", f"The file's name has {part}, which is a site of the fleet."
    if len(named) == 1:
        return f"column:{named[0].ref}", f"By its name, and what stands in it: {named[0].example}."
    return (
        None,
        "Which column says the site?" if named else "No column seems to say the site. Which site is it?",
    )


def ask_for_site(draft: Draft, question: str) -> None:
    """Ask for the one site of a file."""
    draft.settle("site_constant", None, question)


def parts_of(file_name: str) -> Iterator[tuple[str, str]]:
    """The parts of a file's name that may be a site, each with the pattern that finds it there."""
    stem, dot, ending = file_name.replace("\\", "/").rpartition("/")[2].rpartition(".")
    if not dot:
        stem, ending = ending, ""
    parts, joints = _PART.split(stem), _PART.findall(stem)
    for at, part in enumerate(parts[:12]):
        if len(part) >= 2:
            fixed = [
                "{site}" if other == at else "*" if any(sign.isdigit() for sign in text) else text
                for other, text in enumerate(parts)
            ]
            joined = "".join(text + joint for text, joint in zip(fixed, [*joints, ""], strict=True))
            yield part, joined + (f".{ending}" if dot else "")
