"""Rows that are told apart: several of one site and time, and those that are estimated."""

import re

from ..profiles.cells import as_text
from .draft import Draft
from .words import with_example

FEW = 8
"""So many different texts at most has a column that tells rows apart."""
_OF_QUALITY = re.compile(r"\best|type|status|quality|valid|flag|method", re.IGNORECASE)
"""In a column of such a name a letter alone may say that a row is estimated."""
ESTIMATED = re.compile(r"est(\.|im.*)?|e|geschat.*|geschätzt.*|stima.*", re.IGNORECASE)


def conditions(draft: Draft) -> None:
    """Which rows count: all, unless somebody says otherwise. The profile of a common feed says it itself."""
    if draft.feed:
        return
    few = [column for column in draft.columns if 1 < len(set(column.texts)) <= FEW and not column.has_dates]
    taken = [*draft.key_columns(), *draft.values]
    options = [(column.ref, with_example(column)) for column in few if column not in taken]
    if options:
        draft.settle(
            "keep_column", "", "All of them, as long as nobody says otherwise.", [("", "All"), *options]
        )
    for column in draft.columns:
        if column.ref == draft.text("keep_column"):
            texts = list(dict.fromkeys(column.texts))
            asked = f"Which rows count, by {column.label}?"
            draft.settle("keep_texts", None, asked, [(text, text) for text in texts])
            draft.keep(column, {"is": list(draft.found.several("keep_texts"))})


def several_rows(draft: Draft) -> None:
    """Several rows of one site and time: the registers of a meter, of which all or one count.

    Not asked before the site is known: its names would be taken for registers.
    """
    if draft.feed:
        draft.settle("same_instant", draft.feed.values.get("same_instant", "refuse"), "")
        if "same_instant" in draft.feed.values:
            return
    if draft.text("layout") not in ("rows", "wide_times") or not draft.text("site"):
        return
    keys = list(zip(*(map(as_text, column.cells) for column in draft.key_columns()), strict=True))
    if len(set(keys)) == len(keys):
        return
    for column in draft.columns:
        cells = list(map(as_text, column.cells))
        texts = list(dict.fromkeys(cells))
        is_one = column not in draft.key_columns() and column not in draft.values and 2 <= len(texts) <= FEW
        if is_one and len(set(zip(keys, cells, strict=True))) > len(set(keys)):
            asked = f"Rows of one site and time differ in {column.label}: {', '.join(texts)}. Which count?"
            options = [("add", "All of them, added up")] + [
                (f"only:{text}", f"Only {text}") for text in texts
            ]
            value = str(draft.settle("parts", None, asked, options) or "")
            if value.startswith("only:"):
                draft.keep(column, {"is": [value.removeprefix("only:")]})
            draft.settle("same_instant", "add" if value == "add" else "refuse", "As you said.")
            return


def estimates(draft: Draft) -> None:
    """A column that says of some rows that they are estimated. Of some common feeds that is known."""
    if draft.feed and draft.feed.estimated:
        return
    for column in draft.columns:
        texts = list(dict.fromkeys(column.texts))
        if column in (*draft.values, *draft.key_columns()) or len(texts) > FEW or column.is_number:
            continue
        estimated = [text for text in texts if ESTIMATED.fullmatch(text)]
        if estimated and (_OF_QUALITY.search(column.name) or any(len(text) > 1 for text in texts)):
            asked = (
                f"{column.label} says {', '.join(texts)}. What becomes of rows with {', '.join(estimated)}?"
            )
            options = [
                ("mark", "They are stored as estimated, and no rule counts them"),
                ("leave", "They are left out"),
                ("take", "They are stored as any other"),
            ]
            value = draft.settle("estimates", None, asked, options)
            if value == "leave":
                draft.keep(column, {"is_not": estimated})
            elif value == "mark":
                draft.found.estimated = {"column": column.number_or_name, "is": estimated}
            return
