"""The document of a profile: what may stand in it, and what contradicts itself. Names are a contract."""

import codecs
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from ...errors import InvalidInput
from ...rules.settings import storable
from ...settings.schema import MOST_TOLD, time_zones
from .. import fields
from .stamps import StampError, check_format

Kind = Literal["delimited", "excel", "d0010", "nem12", "green_button", "iec62056", "json"]
TABLES = ("delimited", "excel", "json")
"""Kinds of rows and columns, whose meaning only the profile knows."""
WITH_HEADER = ("delimited", "excel")
NAMED_COLUMNS = {
    "d0010": ("meter", "register", "method"),
    "nem12": ("NMISuffix", "register", "meter"),
    "green_button": ("UsagePoint", "flowDirection", "quality"),
    "iec62056": ("register",),
}
"""What ``keep`` and ``estimated`` may ask of the kinds that have no columns."""

Text = Annotated[str, Field(min_length=1, max_length=200)]
Column = Annotated[int, Field(ge=1, le=20_000)] | Text
"""A column's name, or its number, the first being 1."""
Columns = Annotated[list[Column], Field(max_length=20_000)]
MOST_AGAIN = 10
"""Of the columns of a time or value, which cost as much as others, and nothing in the file."""
Words = Annotated[list[str], Field(max_length=1000)]
NOT_OF_FILES = {"punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7"}
"""Encodings that no file is in. Reading the first and the last takes time by the square of a file's size."""
Sign = Annotated[str, Field(min_length=1, max_length=1)]
Clock = Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]

ProfileErrors = dict[str, list[str]]


class ProfileError(InvalidInput):
    """A document that is no profile; ``fields`` says what is wrong where: ``time.minutes`` and why."""

    def __init__(self, fields: ProfileErrors) -> None:
        super().__init__("; ".join(f"{name}: {' '.join(why)}" for name, why in fields.items()), fields)


def check_encoding(name: str) -> None:
    """Raises ValueError for what is no encoding of text."""
    try:
        "a".encode(name)
        b"a".decode(name, errors="replace")
        is_of_files = codecs.lookup(name).name.replace("_", "-") not in NOT_OF_FILES
    except (LookupError, ValueError):
        is_of_files = False
    if not is_of_files:
        raise ValueError("Not an encoding of text, such as utf-8, utf-16 or windows-1252.")


def _encoding(name: str) -> str:
    check_encoding(name)
    return name


def _zone(name: str) -> str:
    if name not in time_zones():
        raise ValueError("Not an IANA time zone, such as Europe/London.")
    return name


def _format(text: str) -> str:
    try:
        check_format(text)
    except StampError as error:
        raise ValueError(str(error)) from error
    return text


def _site_id(text: str) -> str:
    try:
        return fields.site_id(text)
    except fields.FieldError as error:
        raise ValueError(str(error)) from error


def _file_name(pattern: str) -> str:
    if pattern.count("{site}") != 1:
        raise ValueError("Must have {site} once, where the site stands in the file's name.")
    return pattern


def _no_number(sign: str) -> str:
    if sign.isalnum() or sign in "-+":
        raise ValueError("Must be a sign that no number has otherwise.")
    return sign


SiteId = Annotated[str, AfterValidator(_site_id)]


class Part(BaseModel):
    """A part of the document. An unknown name is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class File(Part):
    """What kind of file it is, and where in it the readings stand."""

    kind: Kind
    encoding: Annotated[Text, AfterValidator(_encoding)] = "utf-8"
    delimiter: Annotated[Sign, Field(pattern=r'^[^"\r\n]$')] = ","
    comment: Text | None = None
    sheet: Text | None = None
    path: Text | None = None


class Header(Part):
    """The row that names the columns: some of its cells; or the names, where no row does."""

    find: Annotated[list[Text], Field(min_length=1, max_length=20_000)] | None = None
    names: Annotated[list[Text], Field(min_length=1, max_length=20_000)] | None = None
    units_rows: Annotated[int, Field(ge=0, le=100)] = 0


class SiteFrom(Part):
    """Where a reading's site comes from, and what becomes of the text."""

    column: Column | None = None
    constant: SiteId | None = None
    file_name: Annotated[Text, AfterValidator(_file_name)] | None = None
    strip: Text | None = None
    aliases: dict[str, SiteId] = {}

    @property
    def ways(self) -> list[str]:
        """The names of the ways that are given."""
        return [name for name in ("column", "constant", "file_name") if getattr(self, name) is not None]


class TimeFrom(Part):
    """Where a reading's time comes from, and what it means."""

    columns: Columns = []
    formats: Annotated[list[Annotated[Text, AfterValidator(_format)]], Field(max_length=100)] = []
    zone: Annotated[str, AfterValidator(_zone)] | None = None
    zone_column: Column | None = None
    label: Literal["start", "end"] = "end"
    minutes: Annotated[int, Field(ge=1, le=366 * 1440)] | None = None
    date_only: Clock | None = None


class ValueFrom(Part):
    """Where a reading's value comes from, and how its numbers are written."""

    columns: Columns = []
    decimal: Annotated[Sign, AfterValidator(_no_number)] = "."
    thousands: Annotated[Sign, AfterValidator(_no_number)] | None = None
    exponent: bool = False
    missing: Words = []
    unit: Literal["kWh", "Wh", "MWh", "kW"] = "kWh"


class Condition(Part):
    """What a column's trimmed text must be, all of what is given."""

    column: Column
    is_: Annotated[Words | None, Field(alias="is")] = None
    is_not: Words | None = None
    starts_with: Text | None = None

    def holds(self, text: str) -> bool:
        """Whether a text is such."""
        return (
            (self.is_ is None or text in self._any_of)
            and text not in self._none_of
            and (self.starts_with is None or text.startswith(self.starts_with))
        )

    @cached_property
    def _any_of(self) -> frozenset[str]:
        """Not the list: it may have a thousand words, and is asked about each cell."""
        return frozenset(self.is_ or ())

    @cached_property
    def _none_of(self) -> frozenset[str]:
        return frozenset(self.is_not or ())


class Profile(Part):
    """How the files of one feed are read."""

    file: File
    header: Header | None = None
    site: SiteFrom
    time: TimeFrom
    value: ValueFrom
    layout: Literal["rows", "wide_times", "wide_sites"] = "rows"
    measure: Literal["register", "interval"] = "register"
    same_instant: Literal["refuse", "add"] = "refuse"
    keep: Annotated[list[Condition], Field(max_length=100)] = []
    estimated: Condition | None = None
    source: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    expected_hours: Annotated[int, Field(ge=1, le=24 * 366)] | None = None

    @classmethod
    def parsed(cls, document: Any) -> Self:
        """A document, as JSON has it. Raises ProfileError."""
        try:
            profile = cls.model_validate(document)
        except ValidationError as error:
            if error.error_count() > MOST_TOLD:
                raise ProfileError({"profile": [f"It has {error.error_count():,} errors."]}) from error
            raise ProfileError(_by_field(error.errors(include_url=False, include_context=False))) from error
        if wrong := _gathered(_contradictions(profile)):
            raise ProfileError(wrong)
        return profile

    def document(self) -> dict[str, Any]:
        """What was given, as JSON has it."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def zone(self, of_schedule: ZoneInfo) -> ZoneInfo:
        """The zone of times without an offset."""
        return ZoneInfo(self.time.zone) if self.time.zone else of_schedule

    @property
    def heading(self) -> Header:
        """What says how columns are called."""
        return self.header or Header()

    @property
    def conditions(self) -> list[tuple[str, Condition]]:
        """All that ask for a column, with their places in the document."""
        kept = [(f"keep.{at}", condition) for at, condition in enumerate(self.keep)]
        return [*kept, *([("estimated", self.estimated)] if self.estimated else [])]


def _by_field(errors: list[ErrorDetails]) -> ProfileErrors:
    return _gathered((_name(error), error["msg"].removeprefix("Value error, ")) for error in errors)


def _name(error: ErrorDetails) -> str:
    # Of a column, which may be a number or a name, both ways are told of by one field.
    places = [str(place) for place in error["loc"]]
    kept = [
        place for place in places if place not in ("int", "str") and "[" not in place and "-" not in place
    ]
    return ".".join(kept) or "profile"


def _gathered(found: Iterator[tuple[str, str]] | Any) -> ProfileErrors:
    errors: ProfileErrors = {}
    for name, why in found:
        errors.setdefault(name, [])
        if why not in errors[name]:
            errors[name].append(why)
    return errors


def _contradictions(profile: Profile) -> Iterator[tuple[str, str]]:
    try:
        for text in _texts(profile.model_dump(by_alias=True)):
            storable(text)  # PostgreSQL reads nothing of a document with another
    except ValueError as error:
        yield "profile", str(error)
    yield from _of_header(profile)
    yield from _of_site(profile)
    yield from _of_time(profile)
    yield from _of_value(profile)
    yield from _of_conditions(profile)


def _texts(part: Any) -> Iterator[str]:
    """All texts of a document, and the names in it."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict | list):
        for within in (*part, *part.values()) if isinstance(part, dict) else part:
            yield from _texts(within)


def _of_header(profile: Profile) -> Iterator[tuple[str, str]]:
    header = profile.heading
    if profile.file.kind not in WITH_HEADER:
        return
    if (header.find is None) == (header.names is None):
        yield "header", "Give find or names, one of the two: the header's cells, or the names of the columns."
    if header.names is not None:
        names = set(header.names)
        for place, column in _columns(profile):
            is_there = column <= len(header.names) if isinstance(column, int) else column in names
            if not is_there:
                yield place, f"{column} is none of header.names."


def _columns(profile: Profile) -> Iterator[tuple[str, Column]]:
    """Every column that a profile asks for, with its place in the document."""
    named = (("site.column", profile.site.column), ("time.zone_column", profile.time.zone_column))
    yield from ((place, column) for place, column in named if column is not None)
    yield from ((f"time.columns.{at}", column) for at, column in enumerate(profile.time.columns))
    yield from ((f"value.columns.{at}", column) for at, column in enumerate(profile.value.columns))
    yield from ((f"{place}.column", condition.column) for place, condition in profile.conditions)


def _of_site(profile: Profile) -> Iterator[tuple[str, str]]:
    ways, kind = profile.site.ways, profile.file.kind
    if len(ways) > 1:
        yield "site", f"Give one way, not {' and '.join(ways)}."
    if not ways and kind in TABLES and profile.layout != "wide_sites":
        yield "site", "Give one way: column, constant or file_name."
    if ways and profile.layout == "wide_sites":
        yield f"site.{ways[0]}", "With the layout wide_sites the columns are the sites."
    if "column" in ways and kind not in TABLES:
        yield "site.column", f"Files of the kind {kind} have no columns; they name their sites."


def _of_time(profile: Profile) -> Iterator[tuple[str, str]]:
    time = profile.time
    if time.minutes is None:
        needs = {
            "label start": time.label == "start",
            "the unit kW": profile.value.unit == "kW",
            "the layout wide_times": profile.layout == "wide_times",
        }
        if needing := [what for what, is_so in needs.items() if is_so]:
            yield "time.minutes", f"Needed for {', '.join(needing)}: how long an interval is."
    elif profile.layout == "wide_times" and 1440 % time.minutes:
        yield "time.minutes", "A day must hold a whole number of intervals."
    if profile.file.kind in TABLES:
        if not time.columns:
            yield "time.columns", "Needed: the column of the time, or several to be joined by a space."
        yield from _again("time.columns", time.columns)
        if not time.formats:
            yield "time.formats", "Needed: how times are written, such as iso or %d/%m/%Y %H:%M."


def _of_value(profile: Profile) -> Iterator[tuple[str, str]]:
    value = profile.value
    if profile.file.kind in TABLES and profile.layout == "rows" and not value.columns:
        yield "value.columns", "Needed: the column of the value, or several to be added up."
    yield from _again("value.columns", value.columns)
    if value.decimal == value.thousands:
        for place in ("value.decimal", "value.thousands"):
            yield place, "The decimal sign and the one between thousands must differ."


def _again(place: str, columns: list[Column]) -> Iterator[tuple[str, str]]:
    if len(columns) - len(set(columns)) > MOST_AGAIN:
        yield place, f"More than {MOST_AGAIN} of its columns stand there already."


def _of_conditions(profile: Profile) -> Iterator[tuple[str, str]]:
    known = NAMED_COLUMNS.get(profile.file.kind)
    for place, condition in profile.conditions:
        if (condition.is_, condition.is_not, condition.starts_with) == (None, None, None):
            yield place, "Give is, is_not or starts_with."
        if known is not None and condition.column not in known:
            yield f"{place}.column", f"Files of the kind {profile.file.kind} have {', '.join(known)}."
