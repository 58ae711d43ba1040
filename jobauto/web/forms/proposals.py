"""The form of a proposal: what is asked, what is proposed, and what a person made of it.

Which fields there are depends on the file, so they are no class: each is one of the proposal, with a label
and a control. Beside each control its form carries what was proposed (``own.NAME``); what differs from that
has been said by a person, and the rest is proposed anew.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from werkzeug.datastructures import MultiDict

from ...imports.proposing.proposal import Answers, Proposal, Proposed, Value
from ...models.site import SITE_NAME_LENGTH
from ...settings.schema import zones_of_places

SEVERAL = ("time_columns", "value_columns", "keep_texts")
"""Fields that hold several texts."""
LONGEST = 2000
MOST_SITES = 50
"""So many unknown sites are listed."""

GROUPS = {
    "The file": (
        "feed",
        "encoding",
        "delimiter",
        "comment",
        "sheet",
        "path",
        "header_line",
        "layout",
        "suffix",
        "keep_column",
    ),
    "Site": ("site", "strip"),
    "Time": ("time_columns", "formats", "zone", "date_only", "label", "minutes"),
    "Value": ("value_columns", "unit", "numbers", "exponent", "missing", "measure", "parts", "estimates"),
}
LABELS = {
    "comment": "Lines that begin so are notes",
    "date_only": "A date without a time",
    "delimiter": "Between the fields",
    "encoding": "Encoding",
    "estimates": "Estimated rows",
    "exponent": "Exponents",
    "feed": "Common feed",
    "formats": "How dates are written",
    "header_line": "Line that names the columns (0: none)",
    "keep_column": "Which rows count: by which column",
    "keep_texts": "Rows that count",
    "label": "The time of an interval",
    "layout": "A row of the file",
    "measure": "The values",
    "minutes": "Minutes of an interval",
    "missing": "Cells that mean no reading (; between them)",
    "numbers": "How numbers are written",
    "parts": "Several rows of one time",
    "path": "Where the list is",
    "sheet": "Sheet",
    "site": "Where the site stands",
    "site_constant": "The one site of all rows",
    "strip": "Taken away from both ends of a site",
    "suffix": "Suffix",
    "time_columns": "Columns of the time",
    "unit": "Unit",
    "value_columns": "Columns of the value",
    "zone": "Clock of the times",
}
_DELIMITERS = ((",", "Comma"), (";", "Semicolon"), ("\t", "Tab"), ("|", "Bar"))
_ENCODINGS = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "windows-1252", "iso-8859-15", "cp850")
_NOT_FREE = {
    "delimiter": _DELIMITERS,
    "encoding": tuple((name, name) for name in _ENCODINGS),
}

_FIXED_OFFSETS = tuple(
    (f"Etc/GMT{-hours:+d}", f"UTC{hours:+d} all year, without summer time")
    for hours in (*range(-12, 0), *range(1, 15))
)
"""As loggers have them whose clocks are never changed. The IANA's names have the other sign."""

_SPACES_COUNT = ("delimiter", "numbers", "comment", "site", *SEVERAL)


@dataclass(frozen=True)
class Control:
    """A field as a page shows it: ``kind`` is ``radio``, ``boxes``, ``select``, ``lines`` or ``text``."""

    name: str
    label: str
    proposed: Proposed
    kind: str
    options: tuple[tuple[str, str], ...] = ()
    is_new: bool = False
    """Whether it is asked because of what was answered last."""

    @property
    def values(self) -> tuple[str, ...]:
        """What is chosen or typed."""
        value = self.proposed.refused if self.proposed.error else self.proposed.value
        return value if isinstance(value, tuple) else () if value is None else (value,)

    @property
    def own(self) -> str:
        """What the program proposed, as the form carries it."""
        return _joined(self.proposed.own) if self.proposed.own is not None else ""


def controls(proposal: Proposal, zone_name: str) -> Iterator[tuple[str, list[Control]]]:
    """What is proposed, in groups; without the questions."""
    for title, names in GROUPS.items():
        found = [
            _control(name, proposal.fields[name], zone_name) for name in names if name in proposal.fields
        ]
        if proposed := [control for control in found if not control.proposed.is_question]:
            yield title, proposed


def questions(proposal: Proposal, zone_name: str, form: Mapping[str, str]) -> list[Control]:
    """What the file does not say, whether or not it is answered: first what a ``form`` has asked, in its
    order, then what is new."""
    asked = [name for name in proposal.fields if name in proposal.questions or name == "site_constant"]
    before = [key.removeprefix("own.") for key in form if key.startswith("own.") and not form[key]]
    found = [
        _control(name, proposal.fields[name], zone_name)
        for name in sorted(asked, key=lambda name: before.index(name) if name in before else len(before))
    ]
    return [
        replace(each, is_new=bool(before) and each.name not in before and each.proposed.is_open)
        for each in found
    ]


def _control(name: str, proposed: Proposed, zone_name: str) -> Control:
    options = proposed.options or _NOT_FREE.get(name, ())
    if name == "zone":
        of_places = ((zone, zone) for zone in zones_of_places())
        options = (("", f"{zone_name}, as in the settings"), *of_places, *_FIXED_OFFSETS)
    label = LABELS[name]
    if name in SEVERAL:
        return Control(name, label, proposed, "boxes", options)
    if not options:
        return Control(name, label, proposed, "lines" if name == "formats" else "text")
    value = proposed.refused if proposed.error else proposed.value
    if isinstance(value, str) and value not in dict(options):
        options = (*options, (value, value.replace("\n", ", ")))
    return Control(name, label, proposed, "radio" if proposed.is_question else "select", options)


def answers_in(form: MultiDict[str, str]) -> Answers:
    """What a person has said: of the fields that a form shows, those that differ from what was proposed."""
    found: dict[str, Value] = {}
    for key in form:
        name = key.removeprefix("own.")
        if key == name or name not in LABELS:
            continue
        texts = tuple(_text(name, text) for text in form.getlist(name))
        value: Value = texts if name in SEVERAL else "\n".join(texts[:1])
        if _joined(value) != form[key].replace("\r\n", "\n") and (value or form[key]):
            found[name] = value
    return found


def _text(name: str, text: str) -> str:
    """What was sent of a field. Where spaces mean something they stay; browsers send CR LF for a line end."""
    lines = text[:LONGEST].replace("\r\n", "\n")
    return lines if name in _SPACES_COUNT else lines.strip()


def _joined(value: Value) -> str:
    return "\n".join(value) if isinstance(value, tuple) else value


@dataclass(frozen=True)
class Sites:
    """What becomes of sites that the fleet does not know: some are made, some are others by another name.

    ``called`` is what they are to be called, by their ids.
    """

    make: list[str]
    aliases: dict[str, str]
    called: dict[str, str]

    def errors(self, is_site: Iterable[str]) -> dict[str, str]:
        """Why an alias is none, by the name that the file has."""
        known = set(is_site)
        return {
            name: f"There is no site {site}."
            for name, site in self.aliases.items()
            if site not in known and site not in self.make
        }


def sites_in(form: Mapping[str, str] | MultiDict[str, str]) -> Sites:
    """What a form says of the sites that it lists: ``name.N``, with ``make.N``, ``make.all``, ``called.N``,
    ``alias.N``."""
    make, aliases, called = [], {}, {}
    for at in range(MOST_SITES):
        name = form.get(f"name.{at}", "")[:LONGEST]
        if not name:
            break
        called[name] = form.get(f"called.{at}", "").strip()[:SITE_NAME_LENGTH]
        alias = form.get(f"alias.{at}", "").strip()[:LONGEST]
        if alias:
            aliases[name] = alias
        elif form.get(f"make.{at}") or form.get("make.all"):
            make.append(name)
    return Sites(make, aliases, called)
