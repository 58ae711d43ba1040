"""What comes in as JSON or in an address. Names are a contract with the scripts of others."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, create_model

from ...imports.fields import FieldError, short_text
from ...jobs.queries import JobFilter
from ...lab.walk import BENCHES
from ...models.decision import SERIAL_LENGTH
from ...readings import meter_changes
from ...readings.queries import ReviewFilter
from ...rules import RULES
from ...rules.settings import storable
from ...settings.policies import PolicyContent
from ...settings.schema import Settings
from ..paging import PER_PAGE, PageIn, number_or

MOST_READINGS = 1000
LONGEST_SEARCH = 200
StorableText = Annotated[str, AfterValidator(storable)]


def _one_line(text: str) -> str:
    try:
        return short_text(text, "It")
    except FieldError as error:
        raise ValueError(f"{error}.") from error


_RULES = [rule.name for rule in RULES]


def _known_rule(name: str) -> str:
    if name and name not in _RULES:
        raise ValueError(f"Must be one of {', '.join(_RULES)}.")
    return name


def _known_bench(name: str) -> str:
    if name not in BENCHES:
        raise ValueError(f"Must be one of {', '.join(BENCHES)}.")
    return name


class In(BaseModel):
    """What a caller sends. Unknown names are errors."""

    model_config = ConfigDict(extra="forbid")


class SiteIn(BaseModel):
    """A site to add or change. What is left out stays as it is; other names are ignored, and told."""

    site_id: str
    site_name: str
    monitored_from: date | None = None
    active: bool | None = None
    group: str | None = None
    source: str | None = None
    capacity_kwp: float | None = None
    measure: Literal["register", "interval"] | None = None
    counts: Literal["up", "down"] | None = None


class ReadingIn(BaseModel):
    """A reading to add. Numbers are taken as they are written, never through a float.

    Without a ``quality`` it is an actual one. Other names are ignored, and told.
    """

    site_id: str
    reading_date: str
    reading_value: str | float
    quality: Literal["", "actual", "estimated"] | None = None


class ReadingsFileIn(BaseModel):
    """How a file of readings is read: without which of its columns; or by which profile, any file at all."""

    ignore_column: list[str] = []
    profile: str | None = None
    file_name: str | None = None


class SitesIn(RootModel[list[SiteIn] | SiteIn]):
    """One site or a list."""


class ReadingsIn(RootModel[list[ReadingIn] | ReadingIn]):
    """One reading or a list."""


BeforeId = Annotated[
    Annotated[int, Field(ge=1, le=10**18)] | None,
    number_or(None),
    Field(description="Only what is older than this: whatever comes or goes meanwhile, nothing is missed."),
]


class NewestFirstIn(PageIn):
    """Which part of a list that is newest first."""

    before_id: BeforeId = None


class JobFilterIn(In):
    """Which jobs. The assignee ``-`` is nobody; ``recovered`` tells whether the fault was seen gone."""

    status: Literal["", "open", "in_progress", "on_hold", "closed"] = ""
    rule: Annotated[str, Field(json_schema_extra={"enum": ["", *_RULES]}), AfterValidator(_known_rule)] = ""
    site_id: StorableText = ""
    group: StorableText = ""
    priority: Literal["", "low", "medium", "high"] = ""
    assignee: StorableText = ""
    queue: StorableText = ""
    recovered: Literal["", "true", "false"] = ""
    search: StorableText = Field(
        "",
        max_length=LONGEST_SEARCH,
        description="Words in a site's id, name or group, in the description or a note; or a number.",
    )
    before_id: BeforeId = None

    def filter(self) -> JobFilter:
        """What the list is asked for."""
        asked = {name: getattr(self, name) for name in JobFilterIn.model_fields}
        return JobFilter(**asked | {"recovered": _RECOVERED[self.recovered]})


_RECOVERED = {"": "", "true": "yes", "false": "no"}


class JobsIn(PageIn, JobFilterIn):
    """Which jobs, and which page of them."""


class SitesQueryIn(PageIn):
    """Which sites: those that have each word of ``q`` in their id, name or group, with an id after one."""

    q: StorableText = Field("", max_length=LONGEST_SEARCH)
    after: StorableText = Field("", description="Only sites whose site_id comes after this one.")


class ReadingsQueryIn(PageIn):
    """Which readings. Without an offset an instant is local time of the schedule's zone."""

    per_page: Annotated[int, number_or(PER_PAGE)] = Field(PER_PAGE, ge=1, le=MOST_READINGS)
    start: str = Field("", alias="from", description="The first instant, such as 2026-03-01T00:00.")
    end: str = Field("", alias="to", description="The last instant.")


class LabIn(In):
    """What the lab is asked: a rule, over how many days until now, of a group or (empty) of the fleet."""

    rule: Annotated[str, Field(json_schema_extra={"enum": [*BENCHES]}), AfterValidator(_known_bench)] = (
        "no_coms"
    )
    days: Annotated[Literal[90, 365], number_or(90)] = 90
    group: StorableText = ""


class JobChangeIn(In):
    """What is to become of a job. An assignee of null or "" takes the job from its assignee."""

    model_config = ConfigDict(extra="forbid", strict=True)

    status: Literal["open", "in_progress", "on_hold", "closed"] | None = None
    resolution: Literal["fixed", "recovered", "false_alarm", "duplicate", "other"] | None = None
    priority: Literal["low", "medium", "high"] | None = None
    assignee: StorableText | None = None
    note: StorableText | None = None


class ReviewsIn(NewestFirstIn):
    """Which reviews of readings in doubt; without a state all."""

    per_page: Annotated[int, number_or(PER_PAGE)] = Field(PER_PAGE, ge=1, le=MOST_READINGS)
    state: Literal["", "open", "decided"] = ""
    kind: Literal["", "glitch", "new_level", "backwards", "fall", "leap", "unsteady"] = ""
    site_id: StorableText = ""

    def filter(self) -> ReviewFilter:
        """What the list is asked for."""
        return ReviewFilter(self.state, self.kind, self.site_id, self.before_id)


class DecisionIn(In):
    """What is decided about the readings of a review; null takes the decision back."""

    decision: Literal["new_meter", "wrong", "right"] | None


RegisterKwh = Annotated[Decimal, Field(ge=-meter_changes.LARGEST, le=meter_changes.LARGEST, decimal_places=2)]


class MeterChangeIn(In):
    """A meter change to record. What nobody wrote down is left out, or null.

    Without an offset ``changed_at`` is local time of the schedule's zone.
    """

    changed_at: str
    closing: RegisterKwh | None = None
    opening: RegisterKwh | None = None
    serial: Annotated[str, Field(max_length=SERIAL_LENGTH), AfterValidator(_one_line)] | None = None


class PolicyIn(PolicyContent):
    """What a policy says, and of which groups and sites. Its name is that of the address."""

    name: str = ""


def _in_part(name: str, model: type[BaseModel], fields: dict[str, Any]) -> type[BaseModel]:
    """A model of which every field may be left out."""
    definitions: dict[str, Any] = {field: (kind, None) for field, kind in fields.items()}
    config = ConfigDict(extra="forbid", strict=True)
    return create_model(f"{name}In", __doc__=model.__doc__, __config__=config, **definitions)


def _fields(section: type[BaseModel]) -> dict[str, Any]:
    hints = get_type_hints(section, include_extras=True)
    return {name: hints[name] for name in section.model_fields}


SettingsIn = _in_part(
    "Settings",
    Settings,
    {
        name.upper(): _in_part(section.__name__, section, _fields(section))
        for name, section in _fields(Settings).items()
    },
)
"""Settings, whole or in part. What is left out stays as it is."""
