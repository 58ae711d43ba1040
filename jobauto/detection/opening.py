"""From verdicts to jobs: one INSERT ... SELECT ... ON CONFLICT for a rule's whole fleet."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    SQLColumnExpression,
    String,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import aliased
from sqlalchemy.types import TypeEngine

from ..models import Cover, Job, JobReading, Reading, Site
from ..models.folding import fold
from ..models.job import ONE_OPEN_JOB, STILL_OPEN
from ..models.types import BEFORE_ALL, MICROSECOND, Instant
from ..rules.moment import Moment
from ..rules.no_coms import NO_COMS
from ..rules.rule import FLAGGED, VERDICT, Rule, Variables
from ..rules.settings import RuleSettings
from ..rules.template import parse
from ..storage.connections import insert
from .combinations import Combination

V = TypeVar("V")

LATEST = 30
"""A job keeps the readings of the rule's window, and in any case so many of the latest."""

JUDGED_SITES = VERDICT.join(Site.__table__, Site.key == VERDICT.c.site_key)
"""The connection's verdicts with their sites, from which jobs are sought even where both are distributed."""


@dataclass(frozen=True)
class Opening:
    """What jobs are opened with: the rule and its settings, at a moment, by a run, now.

    ``settings`` are the fleet's; those of a site are the ones of its verdict's combination.
    """

    rule: Rule
    settings: RuleSettings
    moment: Moment
    run_id: int
    now: datetime
    combinations: Sequence[Combination]

    def numbers(self, value: Callable[[Any], V]) -> dict[V, list[int]]:
        """What settings give, each with the numbers of the combinations that give it."""
        found: dict[V, list[int]] = {}
        for combination in self.combinations:
            found.setdefault(value(combination.settings), []).append(combination.number)
        return found

    def of_verdict(
        self, value: Callable[[Any], Any], type_: TypeEngine[Any] | None = None
    ) -> ColumnElement[Any]:
        """What the settings give by which a verdict was found."""
        return _by_verdict({literal(given, type_): at for given, at in self.numbers(value).items()})


def _by_verdict(found: Mapping[ColumnElement[Any], list[int]]) -> ColumnElement[Any]:
    (first, _), *others = found.items()
    cases = ((VERDICT.c.combination.in_(numbers), given) for given, numbers in others)
    return case(*cases, else_=first) if others else first


def open_jobs(connection: Connection, opening: Opening) -> int:
    """Open a job for every flagged site in the connection's verdicts; returns how many were opened.

    1. With ``check_duplicate``, a site with an open job of the type gets none: NOT EXISTS sees every open
       job, however it was opened, and the partial unique index refuses one that comes in between.
    2. With ``reopen_after_days``, neither does a site whose job a person closed knowingly a short while ago.
    3. The readings that led to it are kept with each job.
    """
    columns = job_columns(opening)
    source = (
        select(*columns.values())
        .select_from(JUDGED_SITES)
        .where(*wanted(opening))
        .order_by(VERDICT.c.site_key)
    )
    statement = insert(connection, Job).from_select(list(columns), source)
    connection.execute(
        statement.on_conflict_do_nothing(index_elements=["site_key", "job_type"], index_where=ONE_OPEN_JOB)
    )
    columns_kept = ["site_key", "job_id", "reading_date", "reading_value", "quality"]
    connection.execute(insert(connection, JobReading).from_select(columns_kept, _evidence(opening)))
    opened = (
        select(func.count())
        .select_from(Job)
        .where(Job.run_id == opening.run_id, Job.rule == opening.rule.name)
    )
    return connection.scalar(opened) or 0


def count_wanted(connection: Connection, opening: Opening) -> int:
    """How many jobs :func:`open_jobs` would open."""
    return connection.scalar(select(func.count()).select_from(JUDGED_SITES).where(*wanted(opening))) or 0


def wanted(opening: Opening) -> Iterator[ColumnElement[bool]]:
    """Which of the judged sites are to get a job."""
    yield VERDICT.c.verdict == FLAGGED
    if checked := opening.numbers(attrgetter("check_duplicate")).get(True):
        yield _where(opening, checked, has_no_job(opening))
    for days, numbers in opening.numbers(attrgetter("reopen_after_days")).items():
        if days:
            yield _where(opening, numbers, _not_closed_knowingly(opening, days))


def is_checked(opening: Opening) -> ColumnElement[bool]:
    """Whether ``check_duplicate`` holds for a site: only then is it covered."""
    checked = opening.numbers(attrgetter("check_duplicate")).get(True, [])
    return VERDICT.c.combination.in_(checked)


def is_covered() -> ColumnElement[bool]:
    """Whether an incident covers a site."""
    return exists().where(Cover.site_key == Site.key, Cover.ended_at.is_(None))


def _where(opening: Opening, numbers: list[int], condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """A condition that only these combinations have."""
    if len(numbers) == len(opening.combinations):
        return condition
    return or_(VERDICT.c.combination.not_in(numbers), condition)


def has_no_job(opening: Opening) -> ColumnElement[bool]:
    """Whether a site has no open job of the rule's type, and no incident covers it.

    An incident is no job of its own site: that is covered as well.
    """
    has_none = ~_of_this_type(opening, STILL_OPEN)
    return has_none & ~is_covered() if opens_incidents(opening) else has_none


def opens_incidents(opening: Opening) -> bool:
    """Whether many jobs of the rule at once may be one incident."""
    return opening.rule.name == NO_COMS.name


def _of_this_type(opening: Opening, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    of_type = (Job.site_key == Site.key, Job.job_type == opening.settings.job_type_id, Job.covers.is_(None))
    return exists().where(*of_type, condition)


def _not_closed_knowingly(opening: Opening, days: int) -> ColumnElement[bool]:
    """Whether nobody has closed a site's job, or the incident that covered it, in the last days while the
    fault held; or the site has recovered since."""
    since = opening.now - timedelta(days=days)
    job = (Job.closed_at > since, Job.closed_by.is_not(None), Job.recovered_at.is_(None))
    no_job = ~_of_this_type(opening, and_(*job))
    if not opens_incidents(opening):
        return no_job
    cover = (Cover.ended_at > since, Cover.closed_by.is_not(None), Cover.recovered_at.is_(None))
    return no_job & ~exists().where(Cover.site_key == Site.key, *cover)


def _evidence(opening: Opening) -> Select[int, int, datetime, Decimal, int]:
    """The readings of the rule's window, or the latest ones where those reach further back: one short range
    of the readings' key for each job."""
    as_of = opening.moment.as_of
    starts = opening.numbers(lambda settings: as_of - timedelta(days=opening.rule.window(settings)))
    # Behind a name of its own, because a distributed database asks its temporary tables first.
    begin = _by_verdict({literal(start + MICROSECOND, Instant): at for start, at in starts.items()})
    said = select(VERDICT.c.site_key, begin.label("begin")).cte("said")
    window_start = begin if len(starts) == 1 else said.c.begin
    nth_latest = aliased(Reading)
    start = (
        select(nth_latest.reading_date)
        .where(nth_latest.site_key == Job.site_key, nth_latest.reading_date <= as_of)
        .order_by(nth_latest.reading_date.desc())
        .offset(LATEST - 1)
        .limit(1)
        .correlate(Job)
        .scalar_subquery()
    )
    from_here = case(
        (start > window_start, window_start), else_=func.coalesce(start, literal(BEFORE_ALL, Instant))
    )
    evidence = (
        select(Job.site_key, Job.id, Reading.reading_date, Reading.reading_value, Reading.quality)
        .join(Reading, Reading.site_key == Job.site_key)
        .where(
            Job.run_id == opening.run_id,
            Job.rule == opening.rule.name,
            Reading.reading_date <= as_of,
            Reading.reading_date >= from_here,
        )
    )
    return evidence if len(starts) == 1 else evidence.join(said, said.c.site_key == Job.site_key)


def job_columns(opening: Opening) -> dict[str, ColumnElement[Any]]:
    """What the job of a judged site has, by the names of its columns."""
    return {
        "site_key": Site.key.expression,
        "rule": literal(opening.rule.name),
        "job_type": literal(opening.settings.job_type_id),
        "status": opening.of_verdict(attrgetter("initial_status")),
        "priority": opening.of_verdict(attrgetter("priority")),
        "description": _description(opening),
        "search_description": _search_description(opening),
        "queue": opening.of_verdict(attrgetter("queue"), String()),
        "instructions": opening.of_verdict(attrgetter("instructions"), String()),
        "touched": literal(False),
        "created_at": literal(opening.now, Instant),
        "run_id": literal(opening.run_id),
        "duplicate_checked": opening.of_verdict(attrgetter("check_duplicate")),
        "since": VERDICT.c.since,
        "days": VERDICT.c.days,
        "zero_count": VERDICT.c.zero_count,
        "value": VERDICT.c.value,
    }


def _description(opening: Opening) -> ColumnElement[str]:
    """The template as SQL text: each variable stands for its column, and nothing is evaluated."""
    return _of_template(opening, {"site_id": Site.site_id, "site_name": Site.site_name}, str, _as_it_is)


def _search_description(opening: Opening) -> ColumnElement[str]:
    """The same as searches look into it. Of its variables only the site's have letters to fold, which stand
    folded with the site; the others are times and numbers."""
    of_site: Variables = {"site_id": Site.search_text, "site_name": Site.search_text}
    return _of_template(opening, of_site, fold, _without_punctuation)


def _as_it_is(column: SQLColumnExpression[str]) -> SQLColumnExpression[str]:
    return column


def _without_punctuation(column: SQLColumnExpression[str]) -> SQLColumnExpression[str]:
    """``2026-03-31 06:00`` as ``202603310600``."""
    for character in "- :":
        column = func.replace(column, character, "")
    return column


def _of_template(
    opening: Opening,
    of_site: Variables,
    written: Callable[[str], str],
    column: Callable[[SQLColumnExpression[str]], SQLColumnExpression[str]],
) -> ColumnElement[str]:
    """What is text by now stands there as ``written`` has it, what a verdict says as ``column`` does."""
    columns: Variables = dict(of_site)

    def pieces(settings: RuleSettings) -> tuple[tuple[str, str | None], ...]:
        """The template in which what is the same for all of the combination's sites is text already."""
        variables = opening.rule.variables(settings, opening.moment)
        texts = {name: text for name, text in variables.items() if isinstance(text, str)}
        columns.update(
            (name, column(found)) for name, found in variables.items() if not isinstance(found, str)
        )
        parsed = parse(settings.description_template, settings.variables)
        return tuple(
            (written(before + texts[name]), None) if name in texts else (written(before), name)
            for before, name in parsed
        )

    return _by_verdict({_text(each, columns): at for each, at in opening.numbers(pieces).items()})


def _text(pieces: Iterable[tuple[str, str | None]], columns: Variables) -> ColumnElement[str]:
    text: ColumnElement[str] = literal("", String)
    for before, name in pieces:
        text = text + literal(before, String)
        if name is not None:
            text = text + columns[name]
    return text
