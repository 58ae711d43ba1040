"""What is proposed: a value for each field with its reason, or the question that a person must answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .columns import ref_of
from .tables import Table

Value = str | tuple[str, ...]
"""What a field holds: a text; of a field of several columns, their names."""
Answers = Mapping[str, Value]
SAID = "You said so."


@dataclass(frozen=True)
class Proposed:
    """A field: its value, None where nothing is known; what the program itself proposes; and why, or the
    question. ``options`` are (value, label) pairs, where not every text can be one.

    An answer that cannot be one (``refused``) does not count; ``error`` says why.
    """

    value: Value | None
    own: Value | None
    reason: str
    options: tuple[tuple[str, str], ...] = ()
    refused: Value | None = None
    error: str = ""

    @property
    def is_question(self) -> bool:
        """Whether the program cannot tell."""
        return self.own is None

    @property
    def is_open(self) -> bool:
        """Whether nobody has answered yet."""
        return self.value is None


@dataclass
class Proposal:
    """The fields by their names, in the order in which they were worked out, and the table they rest on.

    ``known`` is the title of the common feed that the file is one of. The ``first_sheet`` of a workbook is
    not named in the profile: the next file may call it otherwise. ``site_names`` are the names of sites by
    their ids, where the file has a column of such, ``names_from``.
    """

    fields: dict[str, Proposed] = field(default_factory=dict)
    table: Table | None = None
    known: str | None = None
    first_sheet: str | None = None
    names_from: str = ""
    site_names: dict[str, str] = field(default_factory=dict)
    keep: list[dict[str, Any]] = field(default_factory=list)
    estimated: dict[str, Any] | None = None

    @property
    def open_questions(self) -> list[str]:
        """The names of the fields that somebody must answer before the file can be read."""
        return [name for name, proposed in self.fields.items() if proposed.is_open]

    @property
    def questions(self) -> list[str]:
        """The names of all fields of which the program cannot tell, answered or not."""
        return [name for name, proposed in self.fields.items() if proposed.is_question]

    @property
    def errors(self) -> list[str]:
        """The names of the fields whose answer cannot be one."""
        return [name for name, proposed in self.fields.items() if proposed.error]

    def text(self, name: str) -> str:
        """A field's value; nothing where it has none."""
        proposed = self.fields.get(name)
        return proposed.value if proposed and isinstance(proposed.value, str) else ""

    def several(self, name: str) -> tuple[str, ...]:
        """The values of a field of several."""
        proposed = self.fields.get(name)
        return proposed.value if proposed and isinstance(proposed.value, tuple) else ()

    def document(self) -> dict[str, Any]:
        """The profile as JSON has it, without what has its default. What is not answered is left out."""
        site, time, value = self._site(), self._time(), self._value()
        header = self._header(site, time, value)
        document = {"file": self._file(), **({"header": header} if header else {})}
        document |= {"site": site, "time": time, "value": value}
        return document | self._rest()

    def _file(self) -> dict[str, Any]:
        found: dict[str, Any] = {"kind": self.text("kind")}
        defaults = {"encoding": "utf-8", "delimiter": ",", "sheet": self.first_sheet}
        for name in ("encoding", "delimiter", "comment", "sheet", "path"):
            text = self.text(name)
            if text and text != defaults.get(name):
                found[name] = text
        return found

    def _site(self) -> dict[str, Any]:
        way, _, what = self.text("site").partition(":")
        found: dict[str, Any] = {}
        if way == "column":
            found["column"] = ref_of(what)
        elif way == "name":
            found["file_name"] = what
        elif self.text("site_constant"):
            found["constant"] = self.text("site_constant")
        if self.text("strip"):
            found["strip"] = self.text("strip")
        return found

    def _time(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if columns := self.several("time_columns"):
            found["columns"] = list(map(ref_of, columns))
        if formats := self.text("formats"):
            found["formats"] = formats.splitlines()
        for name in ("zone", "date_only"):
            if self.text(name):
                found[name] = self.text(name)
        if self.text("label") == "start":
            found["label"] = "start"
        if minutes := self.text("minutes"):
            found["minutes"] = int(minutes) if minutes.isdecimal() and len(minutes) < 8 else minutes
        return found

    def _value(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if columns := self.several("value_columns"):
            found["columns"] = list(map(ref_of, columns))
        decimal, _, thousands = self.text("numbers").partition("|")
        if decimal and decimal != ".":
            found["decimal"] = decimal
        if thousands:
            found["thousands"] = thousands
        if self.text("exponent") == "yes":
            found["exponent"] = True
        if missing := [text.strip() for text in self.text("missing").split(";") if text.strip()]:
            found["missing"] = missing
        if self.text("unit") not in ("", "kWh"):
            found["unit"] = self.text("unit")
        return found

    def _header(
        self, site: Mapping[str, Any], time: Mapping[str, Any], value: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        table = self.table
        if table is None or self.text("kind") == "json":
            return None
        if not table.header:
            return {"names": table.names}
        used = [site.get("column"), *time.get("columns", []), *value.get("columns", [])]
        found = {"find": _find(table.names, [name for name in used if isinstance(name, str)])}
        return found | ({"units_rows": table.units_rows} if table.units_rows else {})

    def _rest(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, default in (("layout", "rows"), ("measure", "register"), ("same_instant", "refuse")):
            if self.text(name) not in ("", default):
                found[name] = self.text(name)
        if self.keep:
            found["keep"] = self.keep
        if self.estimated:
            found["estimated"] = self.estimated
        return found


def _find(names: Sequence[str], used: Sequence[str]) -> list[str]:
    """Cells by which a header is found: the columns that are used; where these are numbered, all it has."""
    named = list(dict.fromkeys(name for name in used if name in names)) or [name for name in names if name]
    return named[:6]
