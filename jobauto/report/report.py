"""All of a report."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from ..models import Job
from ..models.types import DAY
from ..settings.policies import Policies
from . import queries
from .queries import AGES, Jobs, age_name, age_title
from .scope import Scope, Span
from .site_days import SiteDays, site_days

DAILY, WEEKLY = 62, 400
"""Bars stand for days up to so many days, for weeks up to so many, and otherwise for four weeks."""
STATE_TITLES = {
    "ok": "OK",
    "silent": "Silent",
    "standing_still": "Standing still",
    "not_assessable": "Not assessable",
}
_STATE_COLOURS = {"silent": "blue", "standing_still": "orange", "not_assessable": "violet"}

Took = tuple[timedelta, timedelta] | None
"""What half of the jobs, and what nine of ten, took at most."""


@dataclass(frozen=True)
class Bar:
    """Jobs opened and closed on some days."""

    first: date
    last: date
    opened: int
    closed: int


@dataclass(frozen=True)
class Report:
    """What became of jobs and sites in a time."""

    span: Span
    scope: Scope
    jobs: Jobs
    to_close: Took
    to_recover: Took
    bars: Sequence[Bar]
    often: int
    site_days: SiteDays

    @property
    def ages(self) -> list[tuple[str, str, int]]:
        """(number, title, jobs) of each age of what is open."""
        named = ((age_name(least), age_title(least, most)) for least, most in AGES)
        return [(name, title, self.jobs.counts[name]) for name, title in named]

    @property
    def coverage(self) -> float | None:
        """The share of site-days, in %, that were neither silent nor not assessable; None without any."""
        states = self.site_days.states
        return share(states["ok"] + states["standing_still"], states.total())

    def chart_of_jobs(self) -> dict[str, Any]:
        """Jobs opened and closed, as the chart's script takes them."""
        return {
            "labels": [bar_label(bar) for bar in self.bars],
            "side_by_side": True,
            "series": [
                {"colour": "orange", "title": "Opened", "values": [bar.opened for bar in self.bars]},
                {"colour": "teal", "title": "Closed", "values": [bar.closed for bar in self.bars]},
            ],
        }

    def chart_of_ages(self) -> dict[str, Any]:
        """Open jobs by age."""
        return {
            "labels": [title for _, title, _ in self.ages],
            "series": [{"colour": "blue", "title": "Open jobs", "values": [n for _, _, n in self.ages]}],
        }

    def chart_of_days(self) -> dict[str, Any]:
        """The share of sites, in %, that were not ok, day by day."""
        days = self.site_days.days
        return {
            "labels": [f"{day.day:%-d %b}" for day in days],
            "series": [
                {
                    "colour": colour,
                    "title": f"{STATE_TITLES[state]}, % of sites",
                    "values": [share(day.states[state], day.sites) or 0 for day in days],
                }
                for state, colour in _STATE_COLOURS.items()
            ],
        }

    def parts_of_jobs(self, part: str) -> list[tuple[str, Mapping[str, int]]]:
        """(name, numbers) of each group, source or assignee, those with the most open jobs first."""
        found = self.jobs.by_part[part].items()
        return sorted(found, key=lambda one: (-one[1]["open"], -one[1]["opened"], one[0]))

    def parts_of_days(self, part: str) -> list[tuple[str, Counter[str]]]:
        """(name, site-days by state) of each group or source, those with the least share of ok first."""
        found = [
            (name, states) for name, states in self.site_days.by_part.get(part, {}).items() if states.total()
        ]
        return sorted(found, key=lambda one: (one[1]["ok"] / one[1].total(), one[0]))


def report(session: Session, span: Span, scope: Scope, policies: Policies) -> Report:
    """The report of a time, in some twenty statements, however many jobs and sites there are."""
    jobs = queries.count_jobs(session, span, scope)
    return Report(
        span=span,
        scope=scope,
        jobs=jobs,
        to_close=queries.time_to(session, Job.closed_at, jobs.counts["closed"], span, scope),
        to_recover=queries.time_to(session, Job.recovered_at, jobs.counts["recovered"], span, scope),
        bars=_bars(session, span, scope),
        often=session.scalar(queries.count_often(span, scope)) or 0,
        site_days=site_days(session, span, scope, policies),
    )


def _bars(session: Session, span: Span, scope: Scope) -> list[Bar]:
    opened = queries.by_day(session, Job.created_at, span, scope)
    closed = queries.by_day(session, Job.closed_at, span, scope)
    days = list(span.days())
    step = 1 if len(days) <= DAILY else 7 if len(days) <= WEEKLY else 28
    some = (days[start : start + step] for start in range(0, len(days), step))
    return [
        Bar(few[0], few[-1], sum(opened[day] for day in few), sum(closed[day] for day in few)) for few in some
    ]


def bar_label(bar: Bar) -> str:
    """``12 Nov``, or ``12 Nov to 18 Nov``."""
    first = f"{bar.first:%-d %b}"
    return first if bar.first == bar.last else f"{first} to {bar.last:%-d %b}"


def share(count: int, total: int) -> float | None:
    """In %, with one decimal; None of nothing."""
    return round(100 * count / total, 1) if total else None


def days_of(took: timedelta) -> float:
    """Days, with one decimal."""
    return round(took / DAY, 1)
