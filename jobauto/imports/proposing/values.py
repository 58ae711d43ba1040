"""Which columns hold the value, in which unit, and how its numbers are written."""

import re
from collections.abc import Collection, Sequence
from typing import Any

from ..lines import FileError
from ..profiles.cells import as_text
from .columns import UNITS, Column
from .draft import Draft
from .numbers import Numbers, Style, numbers_of
from .words import NOTHING, with_example

_A_UNIT = re.compile("[kMG]?(W|VAr|VA)h?", re.IGNORECASE)


def value(draft: Draft) -> None:
    """Propose the columns of the value, its unit and how its numbers are written. Raises FileError."""
    taken = {column.at for column in draft.time} | ({draft.site.at} if draft.site else set())
    free = [column for column in draft.columns if column.is_number and column.at not in taken]
    layout = draft.text("layout")
    if layout == "rows":
        _value_columns(draft, [column for column in free if not column.may_be_site] or free)
        chosen = draft.chosen("value_columns")
    else:
        chosen = [draft.columns[at] for at in draft.clocks] if draft.clocks else free
    draft.values = chosen
    if chosen:
        _unit(draft, chosen)
        _numbers(draft, chosen)


def _value_columns(draft: Draft, free: list[Column]) -> None:
    if not free:
        raise FileError(NOTHING)
    energy = [column for column in free if column.may_be_energy]
    options = [(column.ref, with_example(column)) for column in free]
    if len(free) == 1:
        draft.settle(
            "value_columns",
            (free[0].ref,),
            f"It is the only column of numbers: {free[0].example}.",
            options,
        )
    elif len(energy) == 1:
        draft.settle(
            "value_columns",
            (energy[0].ref,),
            "Of the columns of numbers, its name is one of energy.",
            options,
        )
    else:
        asked = "Several columns hold numbers. Which is what the site generates? Several are added up."
        draft.settle("value_columns", None, asked, options)


def _unit(draft: Draft, chosen: Sequence[Column]) -> None:
    units = {column.unit for column in chosen if column.unit}
    of_rows = _column_of_units(draft)
    above = {
        UNITS[found[0].lower()]
        for text in draft.table.above
        if (found := re.search(r"\b[kM]?Wh?\b", text, re.IGNORECASE)) and found[0].lower() in UNITS
    }
    said = _unit_in(draft.sample.document()) if draft.text("kind") == "json" else None
    options = [(unit, unit) for unit in ("kWh", "Wh", "MWh")] + [("kW", "kW, the mean of an interval")]
    if of_rows:
        _unit_of_rows(draft, of_rows, units, options)
    elif len(units) == 1:
        draft.settle("unit", units.pop(), f"The column is called {chosen[0].label}.", options)
    elif not units and len(above) == 1:
        draft.settle("unit", above.pop(), "The row below the header says so.", options)
    elif not units and said:
        draft.settle("unit", said, f"The document says unit: {said}.", options)
    else:
        draft.settle(
            "unit", "kWh", "Nothing in the file names another unit. Look at the values below.", options
        )


def _column_of_units(draft: Draft) -> Column | None:
    """The column that says of each row in which unit it is."""
    return next(
        (column for column in draft.columns if column.texts and all(map(_A_UNIT.fullmatch, column.texts))),
        None,
    )


def _unit_of_rows(
    draft: Draft, column: Column, named: Collection[str], options: Sequence[tuple[str, str]]
) -> None:
    said = list(dict.fromkeys(column.texts))
    kept = draft.answers.get("keep_texts", ()) if draft.answers.get("keep_column") == column.ref else ()
    units = {UNITS.get(text.lower(), text) for text in kept or said} | {*named}
    (own,) = units if len(units) == 1 else (None,)
    told = f"The column {column.label} says {', '.join(said)}."
    if own in UNITS.values():
        draft.settle("unit", own, told, options)
    else:
        draft.settle("unit", None, f"{told} Choose which rows count, then their unit.", options)


def _numbers(draft: Draft, chosen: Sequence[Column]) -> None:
    texts = [as_text(cell) for column in chosen for cell in column.cells if isinstance(cell, str)]
    numbers = numbers_of(texts) or Numbers([Style(".", None, exponent=False, values={})], [])
    styles = numbers.styles
    options = [
        (".", "1234.56"), (",", "1234,56"), (".|,", "1,234.56"), (",|.", "1.234,56"),
        (".| ", "1 234.56"), (",| ", "1 234,56"), (".|'", "1'234.56"),
    ]  # fmt: skip
    known = dict(options)
    options += [(form, form) for style in styles if (form := _form(style)) not in known]
    if len(styles) == 1:
        own: str | None = _form(styles[0])
        reason = (
            "Only so all of them can be read."
            if any("," in text or "." in text for text in texts)
            else "They are whole numbers, or the spreadsheet has them as numbers."
        )
    else:
        example = next(text for text in styles[0].values if len({style.values[text] for style in styles}) > 1)
        own, reason = None, f"{example}: {' or '.join(f'{style.values[example]:f}' for style in styles)}?"
        options = [(_form(style), f"{style.values[example]:f}") for style in styles]
    draft.settle("numbers", own, reason, options)
    is_one = styles[0].exponent
    told = "Some are written like 1.5E+04." if is_one else "None is written with an exponent."
    draft.settle("exponent", "yes" if is_one else "no", told, [("no", "No"), ("yes", "Yes")])
    missing = "; ".join(numbers.missing)
    draft.settle(
        "missing",
        missing,
        "Such cells hold no number." if missing else "Empty cells are no readings in any case.",
    )
    form = draft.text("numbers")
    draft.style = next((style for style in styles if _form(style) == form), styles[0])


def _form(style: Style) -> str:
    return f"{style.decimal}|{style.thousands}" if style.thousands else style.decimal


def _unit_in(document: Any, depth: int = 0) -> str | None:
    """What a JSON document says at ``unit``."""
    if not isinstance(document, dict) or depth > 6:
        return None
    said = str(document.get("unit", "")).lower()
    if said in UNITS:
        return UNITS[said]
    return next((unit for inner in document.values() if (unit := _unit_in(inner, depth + 1))), None)
