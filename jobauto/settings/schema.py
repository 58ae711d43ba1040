"""The settings: one declaration from which come limits, help texts, form, JSON and defaults.

Names, defaults and limits are a contract with the scripts of others. They may be added to, not changed.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model

from ..rules import RULES
from ..rules.moment import Moment
from ..rules.settings import KilowattHours, RuleSettings, Section
from ..rules.template import TemplateError, parse

Errors = dict[str, list[str]]
"""What is wrong: ``ZERO_READS.days_to_check`` and why."""

MOST_TOLD = 100
"""So many errors at most are told one by one: what was sent may have hundreds of thousands."""


class SettingsError(Exception):
    """Some settings cannot be saved; ``fields`` says which and why. Nothing was changed."""

    def __init__(self, fields: Errors) -> None:
        super().__init__("; ".join(f"{name}: {' '.join(why)}" for name, why in fields.items()))
        self.fields = fields


@cache
def time_zones() -> frozenset[str]:
    """The IANA zones: without the host's own choice of one, and the one that says none was chosen."""
    return frozenset(available_timezones() - {"localtime", "Factory"})


@cache
def zones_of_places() -> tuple[str, ...]:
    """The zones that a person chooses from: those that the IANA lists for countries, and UTC.

    What else may be named are former names of these, such as ``GB-Eire``, and fixed offsets.
    """
    table = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return (*sorted({row[2] for row in rows if len(row) > 2} & time_zones()), "UTC")


def _known_zone(name: str) -> str:
    if name not in time_zones():
        raise ValueError("Not an IANA time zone, such as Europe/London.")
    return name


class GuardSettings(Section):
    """When so many sites fall silent together that they have one cause: our own feed, or their source."""

    title = "Fleet-wide outage guard"

    guard_enabled: Annotated[
        bool,
        Field(
            title="Hold back when many fall silent together",
            description="On: the jobs of such a run wait until somebody releases or discards them. "
            "Off: every run opens its jobs.",
        ),
    ] = True
    guard_share: Annotated[
        int,
        Field(
            ge=1,
            le=100,
            title="Share of sites, in %",
            description="A run is held when more than this share of the sites that had reported in the week "
            "before would be newly flagged: 1 to 100.",
        ),
    ] = 50
    guard_min_sites: Annotated[
        int,
        Field(
            ge=1,
            le=1_000_000,
            title="At least so many sites",
            description="Fewer sites than this never hold a run: 1 to 1,000,000.",
        ),
    ] = 20
    incident_enabled: Annotated[
        bool,
        Field(
            title="One job for many sites behind one source",
            description="On: sites of one source that fall silent together get one job, an incident. "
            "Off: each gets its own.",
        ),
    ] = True
    incident_share: Annotated[
        int,
        Field(
            ge=1,
            le=100,
            title="Share of a source’s sites, in %",
            description="An incident is opened when more than this share of the source's sites that had "
            "reported in the week before would be newly flagged: 1 to 100.",
        ),
    ] = 50
    incident_min_sites: Annotated[
        int,
        Field(
            ge=2,
            le=1_000_000,
            title="At least so many sites of a source",
            description="Fewer sites than this are no incident: 2 to 1,000,000.",
        ),
    ] = 5


class ReadingsSettings(Section):
    """When a reading is doubted."""

    title = "Readings"

    fall_tolerance: Annotated[
        KilowattHours,
        Field(
            title="Fall that is no fault, in kWh",
            description="A register may fall by so much from one reading to the next without being doubted: "
            "0.00 to 1,000.00. After a change all readings are looked at anew, in the background.",
        ),
    ] = Decimal("1.00")


class ScheduleSettings(Section):
    """When the daily check runs."""

    title = "Schedule"

    schedule_enabled: Annotated[
        bool, Field(title="Run every day", description="Off: runs start by hand, by API or by command only.")
    ] = True
    run_time: Annotated[
        str,
        Field(
            pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
            title="Time of day",
            description="When the daily check is due, as HH:MM on the clocks of the time zone.",
        ),
    ] = "06:00"
    timezone: Annotated[
        str,
        AfterValidator(_known_zone),
        Field(
            title="Time zone",
            description="An IANA zone. It also decides what a day is in counts, "
            "and what a time without an offset means in a file.",
        ),
    ] = "Europe/London"

    @property
    def zone(self) -> ZoneInfo:
        """The time zone itself."""
        return ZoneInfo(self.timezone)


_SECTIONS: dict[str, Any] = {rule.name: (rule.settings, rule.settings()) for rule in RULES}  # type: ignore[call-arg] # each has its defaults
_CONFIG = ConfigDict(extra="forbid", frozen=True, alias_generator=str.upper, populate_by_name=True)
_SectionsOfRules: type[BaseModel] = create_model("SectionsOfRules", __config__=_CONFIG, **_SECTIONS)


class Settings(_SectionsOfRules):  # as many sections as there are rules
    """All settings. In JSON its sections are those of the rules, such as NO_COMS, and those below."""

    guard: GuardSettings = GuardSettings()
    readings: ReadingsSettings = ReadingsSettings()
    schedule: ScheduleSettings = ScheduleSettings()

    @classmethod
    def parsed(cls, document: Any, *, strict: bool = False) -> Self:
        """The settings in a JSON document. Raises SettingsError; ``strict`` takes no "3" for 3."""
        try:
            settings = cls.model_validate(document, strict=strict)
        except ValidationError as error:
            raise SettingsError(describe_errors(error)) from error
        if wrong := dict(settings.contradictions()):
            raise SettingsError(wrong)
        return settings

    def changed(self, changes: Mapping[str, Any], *, strict: bool = False) -> Self:
        """These settings with some of them changed: ``{"NO_COMS": {"days_threshold": 5}}``."""
        document = self.document()
        for section, values in changes.items():
            known = document.get(section)
            document[section] = known | dict(values) if known and isinstance(values, Mapping) else values
        return self.parsed(document, strict=strict)

    def document(self) -> dict[str, Any]:
        """The settings as JSON."""
        return self.model_dump(mode="json", by_alias=True)

    def rule(self, name: str) -> RuleSettings:
        """The section of a rule."""
        section: RuleSettings = getattr(self, name)
        return section

    def moment(self, as_of: datetime) -> Moment:
        """What the rules are asked about at an instant."""
        return Moment(as_of, self.schedule.zone, fall_tolerance=self.readings.fall_tolerance)

    def contradictions(self) -> Iterator[tuple[str, list[str]]]:
        """What is wrong between fields that are each right; every field of the pair is named."""
        for rule in RULES:
            section, key = self.rule(rule.name), rule.name.upper()
            for other in RULES:
                if other is not rule and self.rule(other.name).job_type_id == section.job_type_id:
                    yield f"{key}.job_type_id", [f"Must differ from the job type of {other.title}."]
            for field, why in section.contradictions():
                yield f"{key}.{field}", [why]
            try:
                parse(section.description_template, section.variables)
            except TemplateError as error:
                yield f"{key}.description_template", [str(error)]


_UNKNOWN = "extra_forbidden"
_SENTENCES = {
    "bool_parsing": "Must be true or false.",
    "bool_type": "Must be true or false.",
    "decimal_max_places": "Must have at most two decimals.",
    "decimal_parsing": "Must be a number.",
    "decimal_type": "Must be a number.",
    "is_instance_of": "Must be a number.",
    "finite_number": "Must be a number.",
    "dict_type": "Must be an object of settings.",
    "greater_than_equal": "Must be at least {ge}.",
    "int_from_float": "Must be a whole number.",
    "int_parsing": "Must be a whole number.",
    "int_parsing_size": "Must be a whole number, and not so large.",
    "int_type": "Must be a whole number.",
    "less_than_equal": "Must be at most {le}.",
    "literal_error": "Must be one of {expected}.",
    "model_type": "Must be an object of settings.",
    "string_too_long": "Must have at most {max_length} characters.",
    "string_too_short": "Must not be empty.",
    "string_type": "Must be text.",
    "string_unicode": "Must be text.",
    "value_error": "{error}",
}
_PATTERNS = {"job_type_id": "Must be 1 to 50 of a-z, 0-9, _ and -.", "run_time": "Must be a time like 06:00."}


def describe_errors(
    wrong: ValidationError, *, unknown: str = "There is no such setting.", whole: str = "settings"
) -> Errors:
    """What pydantic found wrong, by field, in sentences for a form; ``unknown`` is for unknown names.

    What belongs to no field, and how many errors there are where they are too many, is told of the ``whole``.
    """
    if wrong.error_count() > MOST_TOLD:
        return {whole: [f"It has {wrong.error_count():,} errors."]}
    words: Errors = {}
    for error in wrong.errors():
        field = ".".join(str(part) for part in error["loc"])
        sentence = unknown if error["type"] == _UNKNOWN else None
        sentence = (
            sentence or _SENTENCES.get(error["type"]) or _PATTERNS.get(str(error["loc"][-1]), error["msg"])
        )
        words.setdefault(field or whole, []).append(sentence.format(**error.get("ctx", {})))
    return words


def told(sentences: Sequence[str]) -> list[str]:
    """Of very many sentences about one field the first, and how many more there are."""
    more = len(sentences) - MOST_TOLD
    return [*sentences[:MOST_TOLD], *([f"And {more:,} more."] if more > 0 else [])]
