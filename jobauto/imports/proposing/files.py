"""What kind of file it is, where its table begins, and whether a common feed is written so."""

from ..lines import FileError
from .draft import Draft
from .feeds import feed_of
from .proposal import Proposed
from .sites import ask_for_site
from .tables import DELIMITERS, Table, lists_in, separator_of, table_of, texts_table
from .words import NOTHING, named

MOST_SHEETS = 5
"""So many sheets are searched for dates and numbers."""


def standard(draft: Draft, kind: str) -> None:
    """Propose what a file of a standard kind leaves open."""
    draft.found.known = _feed_of(draft, None)
    if kind == "green_button":
        ask_for_site(draft, "The file names a usage point, not a site. Which site is it?")
        draft.settle("measure", "interval", "Green Button has the energy of intervals.")
    elif kind == "nem12":
        draft.settle("zone", "", f"Its times are local ones; without a zone, those of {draft.zone.key}.")
        _suffix(draft)
        draft.settle("measure", "interval", "NEM12 has the energy of intervals.")
    else:
        draft.settle("zone", "", f"Its times are local ones; without a zone, those of {draft.zone.key}.")
        draft.settle("measure", "register", "It has registers of meters.")


def _suffix(draft: Draft) -> None:
    """Which suffixes of a NEM12 file count: what is exported and what is bought are different ones."""
    rows = (line.split(",") for line in draft.sample.lines() if line.startswith("200,"))
    names = dict.fromkeys(row[4].strip() for row in rows if len(row) > 4)
    own = next(iter(names), None) if len(names) == 1 else None
    if own is None and (exported := [name for name in names if name.startswith("B")]):
        own = exported[0] if len(exported) == 1 else None
    reason = (
        "Suffixes that begin with B are what is exported, by the market's own names."
        if own
        else f"The file has {', '.join(names)}. Which is what the site generates? (B is exported, E bought.)"
    )
    options = [(name, name) for name in names]
    value = draft.settle("suffix", own, reason, [*options, ("all", "All, added up")])
    if value and value != "all":
        draft.found.keep = [{"column": "NMISuffix", "is": [str(value)]}]


def table_in(draft: Draft, kind: str) -> Table:
    """Where the table begins, and what it needs to be read. Raises FileError where there is none."""
    header = draft.answers.get("header_line", "")
    wanted = int(header) if isinstance(header, str) and header.isdecimal() and len(header) < 8 else None
    table = {"delimited": _delimited, "excel": _excel, "json": _json}[kind](draft, wanted)
    if table is None or not table.rows:
        raise FileError(NOTHING)
    if kind != "json":
        reason = (
            f"Line {table.header} names the columns: {named(table.names)}."
            if table.header
            else "No row names the columns; they are called by their numbers."
        )
        draft.settle("header_line", str(table.header), reason)
    return table


def _delimited(draft: Draft, header: int | None) -> Table | None:
    sample = draft.sample
    encoding = draft.settle("encoding", sample.encoding, sample.encoding_reason)
    lines = sample.lines(str(encoding))
    marked = sum(line.startswith("#") for line in lines)
    comment = "#" if marked and marked < len(lines) and lines[0].startswith("#") else ""
    told = f"{marked} lines begin with it." if comment else "No line is one of notes."
    comment = str(draft.settle("comment", comment, told) or "")
    tables = {each: texts_table(lines, each, comment or None, header) for each in DELIMITERS}
    whole = {each: table for each, table in tables.items() if table and len(table.names) > 1}
    own = separator_of(lines)
    if own is None or own not in whole:
        own = max(whole, key=lambda each: _fit(whole[each]), default=",")
    reason = "With it the rows have as many fields as the header."
    delimiter = str(draft.settle("delimiter", own, reason))
    if delimiter not in tables and len(delimiter) == 1:
        tables[delimiter] = texts_table(lines, delimiter, comment or None, header)
    return tables.get(delimiter)


def _excel(draft: Draft, header: int | None) -> Table | None:
    names = draft.sample.sheets()
    tables: dict[str, Table | None] = {}

    def table_at(name: str) -> Table | None:
        if name not in tables:
            rows = enumerate(draft.sample.sheet(name), start=1)
            tables[name] = table_of(list(rows), header, exact=False)
        return tables[name]

    own = next((name for name in names[:MOST_SHEETS] if table_at(name)), names[0] if names else "")
    reason = "It is the first sheet with dates and numbers."
    options = [(name, f"{name} (the first, whatever it is called)") for name in names[:1]]
    sheet = str(draft.settle("sheet", own, reason, [*options, *((name, name) for name in names[1:])]))
    draft.found.first_sheet = next(iter(names), None)
    return table_at(sheet) if sheet in names else None


def _json(draft: Draft, _header: int | None) -> Table | None:
    lists = dict(lists_in(draft.sample.document()))
    if not lists:
        return None
    own = next(iter(lists))
    reason = f"The longest list with dates and numbers: {len(lists[own].rows):,} items."
    path = str(draft.settle("path", own, reason, [(each, each or "the document itself") for each in lists]))
    return lists.get(path)


def by_feed(draft: Draft) -> None:
    """Propose the profile of a common feed, where the file is one of it."""
    draft.found.known = _feed_of(draft, draft.table)
    if draft.feed and draft.feed.keep:
        draft.found.keep = draft.feed.keep
    if draft.feed and draft.feed.estimated:
        draft.found.estimated = draft.feed.estimated


def _feed_of(draft: Draft, table: Table | None) -> str | None:
    if draft.answers.get("feed") == "none":
        draft.found.fields["feed"] = Proposed("none", "none", "Everything is proposed by the file alone.")
        return None
    form = {name: text for name in ("encoding", "delimiter") if (text := draft.text(name))}
    draft.feed = feed_of(draft.sample, draft.text("kind"), form, table, draft.zone, draft.now)
    if draft.feed is None:
        return None
    draft.found.fields["feed"] = Proposed(
        draft.feed.name,
        draft.feed.name,
        "Its profile reads this file.",
        ((draft.feed.name, draft.feed.title), ("none", "None of them: propose by the file alone")),
    )
    return draft.feed.title


def _fit(table: Table) -> int:
    """How many cells stand in rows that are as wide as the header."""
    return sum(len(cells) == len(table.names) for _, cells in table.rows) * len(table.names)
