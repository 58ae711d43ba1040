"""Which column, or which part of the file's name, says the site."""

import re
from collections.abc import Iterator

from .columns import Column
from .draft import Draft, IsSite
from .words import with_example

_PART = re.compile(r"[_ .]+")


def site(draft: Draft) -> None:
    """Propose where the site stands: names of the fleet count more than those of columns."""
    if draft.text("layout") == "wide_sites":
        return
    free = [
        column
        for column in draft.columns
        if column not in draft.time and column.at not in draft.clocks and column.texts
    ]
    known = {column.at: len(draft.is_site(set(column.texts))) for column in free}
    named = [column for column in free if column.may_be_site]
    parts = dict(parts_of(draft.sample.file_name))
    known_parts = [text for text in parts if draft.is_site([text])]
    best = max(known.values(), default=0)
    own, reason = (
        None,
        "Which column says the site?" if named else "No column seems to say the site. Which site is it?",
    )
    if best:
        column = next(column for column in free if known[column.at] == best)
        own, reason = (
            f"column:{column.ref}",
            f"{best} of its names are sites of the fleet, such as {_first_known(column, draft.is_site)}.",
        )
    elif len(known_parts) == 1:
        own = f"name:{parts[known_parts[0]]}"
        reason = f"The file's name has {known_parts[0]}, which is a site of the fleet."
    elif len(named) == 1:
        own, reason = f"column:{named[0].ref}", f"By its name, and what stands in it: {named[0].example}."
    options = [(f"column:{each.ref}", f"The column {with_example(each)}") for each in (named or free)]
    options += [
        (f"column:{each.ref}", f"The column {with_example(each)}")
        for each in free
        if named and each not in named
    ]
    options += [(f"name:{pattern}", f"The file's name: {text}") for text, pattern in parts.items()]
    draft.settle("site", own, reason, [*options, ("constant", "One site for the whole file")])
    if draft.text("site") == "constant":
        ask_for_site(draft, "All rows are of one site. Which?")
    draft.site = draft.chosen_one("site", "column:")
    cells = draft.site.texts if draft.site else []
    if sum(text.startswith('="') for text in cells) * 2 > len(cells):
        draft.settle("strip", '="', f"Its cells are written {cells[0]}.")


def ask_for_site(draft: Draft, question: str) -> None:
    """Ask for the one site of a file."""
    draft.settle("site_constant", None, question)


def _first_known(column: Column, is_site: IsSite) -> str:
    return min(is_site(set(column.texts)))


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
