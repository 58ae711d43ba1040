"""What goes out as JSON. Names and shapes are a contract with the scripts of others; they may be added to."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, Literal, Self, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, create_model

from ...imports.profiles.document import Profile
from ...imports.result import ImportResult
from ...models import Job, MeterChange, Reading, Review, Run
from ...models.quality import Quality
from ...rules import RULES
from ...settings.policies import PolicyContent
from ...settings.schema import Settings

Item = TypeVar("Item")


class Out(BaseModel):
    """An answer; read off the attributes of our own objects."""

    model_config = ConfigDict(from_attributes=True)


class RuleResultOut(Out):
    """What one rule did in a run."""

    status: str
    checked: int
    flagged: int
    not_assessable: int
    created: int
    skipped: int
    covered: int
    duration_ms: int
    error: str | None


_DAYS: dict[str, Any] = {rule.days_field: (int | None, None) for rule in RULES}
_DaysOfRules: type[Out] = create_model("DaysOfRules", __base__=Out, **_DAYS)


class RecentJobOut(_DaysOfRules):
    """A job in short. The days of a rule are those of its finding; a job has none of another rule's.

    ``faulty_days`` are those that the fault has lasted by now, or had when it ended.
    """

    id: int
    site_id: str
    site_name: str
    job_type: str
    rule: str
    created_at: datetime
    status: str
    description: str
    faulty_days: int | None

    @classmethod
    def of(cls, job: Job, now: datetime) -> Self:
        """The job as JSON; its fault may last until now."""
        known = {name: getattr(job, name) for name in cls.model_fields if name in Job.__mapper__.columns}
        return cls(
            **known,
            faulty_days=job.faulty_days(now),
            site_id=job.site.site_id,
            site_name=job.site.site_name,
            **{rule.days_field: job.days if job.rule == rule.name else None for rule in RULES},
        )


class JobOut(RecentJobOut):
    """A job with its work."""

    priority: str
    assignee: str | None
    closed_at: datetime | None
    resolution: str | None
    run_id: int
    queue: str
    recovered_at: datetime | None
    covers: int | None = None


class ReadingOut(Out):
    """A reading: its value in kWh as text, so that nobody takes it for a float."""

    reading_date: datetime
    reading_value: str
    quality: Literal["good", "doubtful", "wrong", "ignored", "estimated"]

    @classmethod
    def of(cls, reading: Reading, *, is_interval: bool) -> Self:
        """The reading as JSON."""
        return cls(
            reading_date=reading.reading_date,
            reading_value=f"{reading.reading_value:.{3 if is_interval else 2}f}",
            quality=Quality(reading.quality).word,
        )


class ReviewOut(Out):
    """A stretch of readings in doubt, and what was decided. Values are text; ``before`` and ``after`` are
    the good ones beside it. What nobody decided and is decided all the same, the program did."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True, serialize_by_alias=True)

    id: int
    site_id: str
    kind: Literal["glitch", "new_level", "backwards", "fall", "leap", "unsteady"]
    since: datetime = Field(alias="from")
    until: datetime = Field(alias="to")
    readings: int
    before: str | None
    first: str
    last: str
    after: str | None
    state: Literal["open", "decided"]
    decision: Literal["new_meter", "wrong", "right"] | None
    decided_by: str | None
    decided_at: datetime | None

    @classmethod
    def of(cls, review: Review) -> Self:
        """The review as JSON."""
        same = ("id", "kind", "readings", "state", "decision", "decided_by", "decided_at")
        given: dict[str, Any] = {name: getattr(review, name) for name in same}
        values = {name: _kwh(getattr(review, name)) for name in ("before", "first", "last", "after")}
        return cls.model_validate(
            given
            | values
            | {"site_id": review.site.site_id, "from": review.started_at, "to": review.ended_at}
        )


class MeterChangeOut(Out):
    """A recorded meter change. Values are text, or null where nobody wrote them down."""

    id: int
    changed_at: datetime
    closing: str | None
    opening: str | None
    serial: str

    @classmethod
    def of(cls, change: MeterChange) -> Self:
        """The meter change as JSON."""
        return cls(
            id=change.id,
            changed_at=change.changed_at,
            closing=_kwh(change.closing),
            opening=_kwh(change.opening),
            serial=change.serial,
        )


def _kwh(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:.2f}"


class ImportEntryOut(Out):
    """An import in the history. It can be undone until ``undo_until``; null where it cannot."""

    id: int
    kind: str
    profile: str | None
    filename: str
    status: str
    requested_by: str
    requested_at: datetime
    finished_at: datetime | None
    new: int
    updated: int
    unchanged: int
    rejected: int
    undone_at: datetime | None
    undo_until: datetime | None


class UndoneOut(Out):
    """What became of the readings of an import that was undone; the others stand as others left them."""

    removed: int
    restored: int
    left: int


class CoveredSiteOut(Out):
    """A site of an incident; ``recovered_at`` is when a run first looked at it and found it ok again."""

    site_id: str
    site_name: str
    last_reading: datetime | None
    recovered_at: datetime | None


class EventOut(Out):
    """One step in a job's history."""

    at: datetime
    who: str | None
    field: str
    before: str | None
    after: str | None


class ProfileOut(Profile):
    """A profile in a list, with its name."""

    name: str


class HoldOut(Out):
    """Why jobs were held, and the decision: ``released``, ``discarded``, ``superseded``, or null so far."""

    rule: str
    reported: int
    silent: int
    decision: str | None
    decided_by: str | None
    decided_at: datetime | None


class RunOut(Out):
    """A run and what its rules did."""

    id: int
    trigger: str
    requested_by: str | None
    as_of: datetime
    started_at: datetime
    finished_at: datetime | None
    status: str
    created_jobs: int
    rules: dict[str, RuleResultOut]

    @classmethod
    def of(cls, run: Run) -> Self:
        """The run as JSON."""
        rules = {rule.rule: RuleResultOut.model_validate(rule) for rule in run.rules}
        return cls(**{name: getattr(run, name) for name in cls.model_fields if name != "rules"}, rules=rules)


class SiteOut(Out):
    """A site of the inventory."""

    site_id: str
    site_name: str
    monitored_from: date | None
    active: bool
    group: str
    source: str
    capacity_kwp: float | None
    measure: Literal["register", "interval"] | None = Field(
        validation_alias=AliasChoices("known_measure", "measure")
    )
    counts: Literal["up", "down"]


class VerdictOut(Out):
    """What a rule says of a site now."""

    rule: str
    verdict: Literal["flagged", "ok", "not_assessable", "not_judged"]
    reason: str | None
    text: str
    days: int | None


class ErrorOut(Out):
    """What went wrong, and in which fields."""

    error: str
    fields: dict[str, list[str]]


class PageOut(Out, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    page: int
    per_page: int
    total: int


class RunHoldOut(RunOut):
    """A run with the jobs that the guard holds."""

    held_jobs: int
    hold: HoldOut | None


class RunDetailOut(RunHoldOut):
    """A run with the jobs that it opened."""

    jobs: list[JobOut]


class JobDetailOut(JobOut):
    """A job with its history. An incident has the sites that it covers or covered, but its own."""

    covered_sites: list[CoveredSiteOut]
    history: list[EventOut]


_SOURCE: dict[str, Any] = {"from": (str, ...)}  # no name in Python
_From: type[Out] = create_model("From", __base__=Out, **_SOURCE)


class EffectiveOut(_From):
    """A setting in force at a site, and where it comes from: ``fleet``, or the name of a policy."""

    value: bool | int | float | str


class SiteDetailOut(SiteOut):
    """A site with what each rule says of it now, and the settings by which it does; ``covered_by`` is the
    number of the incident's job that covers it."""

    verdicts: list[VerdictOut]
    covered_by: int | None
    effective: dict[str, dict[str, EffectiveOut]]


class RunNowOut(Out):
    """What came of a run."""

    success: Literal[True]
    run_id: int
    as_of: datetime
    status: str
    created_jobs: int
    held_jobs: int = 0
    rules: dict[str, RuleResultOut]


class RunFailedOut(ErrorOut):
    """What came of a run in which a rule failed."""

    success: Literal[False]
    run_id: int | None = None
    as_of: datetime | None = None
    status: str | None = None
    created_jobs: int = 0
    held_jobs: int = 0
    rules: dict[str, RuleResultOut] = {}


class SettingsSavedOut(Settings):
    """The settings after a change."""

    message: str = Field(alias="message")


class PolicyOut(PolicyContent):
    """A policy: what it says, and of which groups and sites."""

    name: str


class CodeOut(Out):
    """Something that can be chosen."""

    id: str
    name: str
    code: str


class ChoiceOut(Out):
    """A priority that can be chosen."""

    value: str
    label: str


class OptionsOut(Out):
    """What can be chosen in settings and for jobs."""

    job_types: list[CodeOut]
    statuses: list[CodeOut]
    priority_options: list[ChoiceOut]
    queues: list[CodeOut]
    task_templates: list[CodeOut]


_TOTALS: dict[str, Any] = {f"total_{rule.name}": (int, 0) for rule in RULES}
_TotalsOfRules: type[Out] = create_model("TotalsOfRules", __base__=Out, **_TOTALS)


class SummaryOut(_TotalsOfRules):
    """The numbers at the top of the dashboard: ``total_*`` are open jobs by rule."""

    jobs_created_today: int
    jobs_created_week: int
    last_run: datetime | None


_COUNTS: dict[str, Any] = {rule.name: (int, 0) for rule in RULES}
_CountsOfRules: type[Out] = create_model("CountsOfRules", __base__=Out, **_COUNTS)


class DayOut(_CountsOfRules):
    """Jobs created on a local day, ``dd/mm``, by rule."""

    date: str


class DashboardOut(Out):
    """The dashboard."""

    summary: SummaryOut
    recent_jobs: list[RecentJobOut]
    daily_stats: list[DayOut]


class LineErrorOut(Out):
    """A rejected row: its line, or its place in the list, and why."""

    line: int
    error: str


class ImportOut(Out):
    """What came of an import."""

    new: int
    updated: int
    unchanged: int
    rejected: int
    errors: list[LineErrorOut]
    warnings: list[str]
    ignored_columns: list[str]

    @classmethod
    def of(cls, result: ImportResult, **more: object) -> Self:
        """The outcome as JSON."""
        errors = [LineErrorOut(line=row.line, error=row.reason) for row in result.errors]
        named = {name: getattr(result, name) for name in ImportOut.model_fields if name != "errors"}
        return cls.model_validate({**named, "errors": errors, **more})


class ReadingsImportOut(ImportOut):
    """The same of readings: with the number of the import, null where it stored nothing."""

    import_id: int | None


class ImportRefusedOut(ErrorOut):
    """What was wrong; where there were rows, of which none could be taken, with what came of the import."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    errors: list[LineErrorOut] = []
    warnings: list[str] = []
    ignored_columns: list[str] = []
    import_id: int | None = None


class ThresholdOut(Out):
    """What one threshold would have done: jobs, and how many of them were well again within 2 and 7 slots.

    ``median_days`` is from the fault's beginning to the slot that found it gone, null where none ended.
    """

    value: int
    jobs: int
    sites: int
    recovered_2d: int
    recovered_7d: int
    median_days: float | None


class AgreementOut(Out):
    """How many scheduled runs were asked again, and how many of them flag the same sites."""

    runs: int
    equal: int


class LabOut(Out):
    """What every threshold of a rule would have done; ``current`` is the one in force."""

    rule: str
    days: int
    current: int
    thresholds: list[ThresholdOut]
    agreement: AgreementOut


class LabProgressOut(Out):
    """How much is worked out, from 0 to 1: ask again."""

    progress: float
