"""The settings: one declaration from which come limits, help texts, form, JSON and defaults.

Names, defaults and limits are a contract with the scripts of others. They may be added to, not changed.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from .template import TemplateError, parse

Errors = dict[str, list[str]]
"""What is wrong: ``ZERO_READS.days_to_check`` and why."""


class SettingsError(Exception):
    """Some settings cannot be saved; ``fields`` says which and why. Nothing was changed."""

    def __init__(self, fields: Errors) -> None:
        super().__init__("; ".join(f"{name}: {' '.join(why)}" for name, why in fields.items()))
        self.fields = fields


@cache
def time_zones() -> frozenset[str]:
    """The IANA zones: without the host's own choice of one, and the one that says none was chosen."""
    return frozenset(available_timezones() - {"localtime", "Factory"})


def _known_zone(name: str) -> str:
    if name not in time_zones():
        raise ValueError("Not an IANA time zone, such as Europe/London.")
    return name


def storable(text: str) -> str:
    """Text that both databases can hold, for a validator. Raises ValueError."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("Must be text, without NUL and halves of characters.")
    return text


Enabled = Annotated[bool, Field(title="Enabled", description="A disabled rule is skipped by every run.")]
JobTypeId = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9_-]{1,50}$",
        title="Job type",
        description="The type that the rule's jobs get: 1 to 50 of a-z, 0-9, _ and -. "
        "The two rules' types differ.",
    ),
]
CheckDuplicate = Annotated[
    bool,
    Field(
        title="Check for duplicates",
        description="On: a site with an open job of this type gets no second one. "
        "Off: each run opens a job for each finding.",
    ),
]
Priority = Annotated[
    Literal["low", "medium", "high"],
    Field(title="Priority", description="The priority that the rule's jobs get."),
]
DescriptionTemplate = Annotated[
    str,
    Field(
        min_length=1,
        max_length=500,
        title="Description",
        description="The text of the rule's jobs, up to 500 characters.",
    ),
    AfterValidator(storable),
]


Queue = Annotated[
    str,
    Field(max_length=100, title="Queue", description="The team that the rule's jobs go to. May be empty."),
    AfterValidator(storable),
]
Instructions = Annotated[
    str,
    Field(
        max_length=2000,
        title="Instructions",
        description="A checklist in plain text that the rule's jobs carry, up to 2,000 characters. "
        "May be empty.",
    ),
    AfterValidator(storable),
]
InitialStatus = Annotated[
    Literal["open", "in_progress", "on_hold"],
    Field(title="Initial status", description="The status that the rule's jobs start with."),
]
AutoCloseRecovered = Annotated[
    bool,
    Field(
        title="Close recovered jobs",
        description="On: when a run sees that the fault is gone, a job that nobody has worked on is closed. "
        "Off: it is only marked as recovered.",
    ),
]
ReopenAfterDays = Annotated[
    int,
    Field(
        ge=0,
        le=90,
        title="Days until a new job",
        description="After a person closed a job while the fault held, so many days pass before a new one "
        "is opened, unless the site recovered in between: 0 to 90. 0: the next run may.",
    ),
]


class Section(BaseModel):
    """Settings that belong together. An unknown name is an error, and a section never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: ClassVar[str]


class RuleSettings(Section):
    """What every rule has. ``variables`` are what its description may name."""

    variables: ClassVar[tuple[str, ...]]

    enabled: Enabled = True
    job_type_id: JobTypeId
    check_duplicate: CheckDuplicate = True
    priority: Priority = "medium"
    description_template: DescriptionTemplate
    queue: Queue = ""
    instructions: Instructions = ""
    initial_status: InitialStatus = "open"
    auto_close_recovered: AutoCloseRecovered = False
    reopen_after_days: ReopenAfterDays = 0


class NoComsSettings(RuleSettings):
    """When a site counts as silent."""

    title = "No Coms"
    variables = ("site_id", "site_name", "days_threshold", "last_reading", "days_without_reading")

    job_type_id: JobTypeId = "no_coms"
    description_template: DescriptionTemplate = "No readings from {site_name} (last reading: {last_reading})"
    days_threshold: Annotated[
        int,
        Field(
            ge=1,
            le=30,
            title="Days without a reading",
            description="A site is flagged when its last reading is at least so many days old: 1 to 30.",
        ),
    ] = 3


class ZeroReadsSettings(RuleSettings):
    """When a register counts as standing still."""

    title = "Zero Reads"
    variables = ("site_id", "site_name", "zero_count", "days_to_check", "date_range", "total_difference")

    job_type_id: JobTypeId = "zero_reads"
    description_template: DescriptionTemplate = "No generation increase for {zero_count} days at {site_name}"
    days_to_check: Annotated[
        int,
        Field(
            ge=2,
            le=30,
            title="Days to check",
            description="How far back the rule looks, in days of 24 hours: 2 to 30.",
        ),
    ] = 4
    readings_to_compare: Annotated[
        int,
        Field(
            ge=2,
            le=10,
            title="Readings to compare",
            description="How many equal readings it takes, spread over as many days: 2 to 10, "
            "and no more than the days to check.",
        ),
    ] = 3


class GuardSettings(Section):
    """When so many sites fall silent together that it is more likely to be our own fault."""

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


class Settings(BaseModel):
    """All settings. In JSON its sections are NO_COMS, ZERO_READS, GUARD and SCHEDULE."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=str.upper, populate_by_name=True)

    no_coms: NoComsSettings = NoComsSettings()
    zero_reads: ZeroReadsSettings = ZeroReadsSettings()
    guard: GuardSettings = GuardSettings()
    schedule: ScheduleSettings = ScheduleSettings()

    @classmethod
    def parsed(cls, document: Any, *, strict: bool = False) -> Self:
        """The settings in a JSON document. Raises SettingsError; ``strict`` takes no "3" for 3."""
        try:
            settings = cls.model_validate(document, strict=strict)
        except ValidationError as error:
            raise SettingsError(describe_errors(error.errors())) from error
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

    def contradictions(self) -> Iterator[tuple[str, list[str]]]:
        """What is wrong between fields that are each right; every field of the pair is named."""
        zero = self.zero_reads
        if self.no_coms.job_type_id == zero.job_type_id:
            yield "NO_COMS.job_type_id", ["Must differ from the job type of Zero Reads."]
            yield "ZERO_READS.job_type_id", ["Must differ from the job type of No Coms."]
        if zero.readings_to_compare > zero.days_to_check:
            why = "The rule could never fire: readings to compare must not exceed days to check."
            yield "ZERO_READS.readings_to_compare", [why]
            yield "ZERO_READS.days_to_check", [why]
        for name in ("no_coms", "zero_reads"):
            rule = self.rule(name)
            try:
                parse(rule.description_template, rule.variables)
            except TemplateError as error:
                yield f"{name.upper()}.description_template", [str(error)]


_UNKNOWN = "extra_forbidden"
_SENTENCES = {
    "bool_parsing": "Must be true or false.",
    "bool_type": "Must be true or false.",
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


def describe_errors(errors: list[ErrorDetails], unknown: str = "There is no such setting.") -> Errors:
    """What pydantic found wrong, by field, in sentences for a form; ``unknown`` is for unknown names."""
    words: Errors = {}
    for error in errors:
        field = ".".join(str(part) for part in error["loc"])
        sentence = unknown if error["type"] == _UNKNOWN else None
        sentence = (
            sentence or _SENTENCES.get(error["type"]) or _PATTERNS.get(str(error["loc"][-1]), error["msg"])
        )
        words.setdefault(field or "settings", []).append(sentence.format(**error.get("ctx", {})))
    return words
