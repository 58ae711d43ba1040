"""The supervisor's report, and the rows behind each of its numbers."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...clock import utcnow
from ...errors import InvalidInput
from ...extensions import db
from ...report import queries
from ...report.export import report_csv
from ...report.report import STATE_TITLES, Report, report
from ...report.scope import Scope, Span, last_days
from ...report.site_days import OK, STATES, Sites
from ...settings import service as settings_service
from ...sites import queries as sites
from ...turns import Turns
from ..exports import csv_file, csv_of
from ..forms.report import NONE, ReportForm, offer, report_form
from ..in_turn import in_turn
from ..paging import PageIn, asked_page, page_counted_beside, page_up_to, require_parameters

bp = Blueprint("report", __name__, url_prefix="/report")

PRESETS = (7, 30, 90, 365)
FEW, MOST = 10, 1000
"""Rows of a part of the page, and of one that is asked for whole; the file has them all."""
IN_LINE = 3
REPORTS = Turns(1, IN_LINE)
"""A process makes one after the other, and lists of sites: with a group for each of many sites a report takes
hundreds of megabytes, and the days of a large fleet a thread for a second."""
BUSY = "Other reports are being made. Try again in some seconds."


@bp.get("/")
def show() -> ResponseReturnValue:
    """The report of a time and a group, or all."""
    form, span, scope = _asked()
    form.fill_in(span)
    found = _report(span, scope)
    offer(form, **{part: _named_most(found, part) for part in ("source", "assignee")})
    return render_template(
        "report/show.html",
        form=form,
        report=found,
        span=span,
        scope=scope,
        presets=[(days, last_days(days, span.zone, span.now)) for days in PRESETS],
        shown={part: MOST if request.args.get("all") == part else FEW for part in queries.PARTS},
        about=_about(span, scope),
        titles=STATE_TITLES,
        link=_Links(span, scope),
    )


def _named_most(found: Report, part: str) -> list[str]:
    return [name for name, _ in found.parts_of_jobs(part)[:MOST]]


@bp.get("/report.csv")
def export() -> ResponseReturnValue:
    """All numbers of the report as a file."""
    require_parameters(*ReportForm.FIELDS)
    _, span, scope = _asked(strict=True)
    return csv_file(report_csv(_report(span, scope)), "report.csv")


@bp.get("/jobs")
def jobs() -> ResponseReturnValue:
    """The jobs behind a number."""
    _, span, scope = _asked()
    name, site_id = _number(), request.args.get("site_id", "")
    return render_template(
        "report/jobs.html",
        title=queries.NUMBERS[name].title,
        page=page_up_to(queries.jobs_behind(name, span, scope, site_id), *asked_page()),
        about=_about(span, scope, site_id),
        up=_Links(span, scope).report(),
        file=f"{url_for('.export_jobs')}?{urlencode(_without_page())}",
    )


@bp.get("/jobs.csv")
def export_jobs() -> ResponseReturnValue:
    """The same jobs as a file."""
    require_parameters("number", "site_id", *ReportForm.FIELDS)
    _, span, scope = _asked(strict=True)
    query = queries.jobs_behind(_number(), span, scope, request.args.get("site_id", ""))
    return csv_of(query, span.zone, span.now)


@bp.get("/often")
def often() -> ResponseReturnValue:
    """The sites with many jobs in the 90 days before the end."""
    _, span, scope = _asked()
    return render_template(
        "report/often.html",
        page=page_counted_beside(queries.often(span, scope), *asked_page()),
        about=_about(span, scope),
        link=_Links(span, scope),
    )


@bp.get("/sites")
def days() -> ResponseReturnValue:
    """The sites behind a number of site-days."""
    _, span, scope = _asked()
    state = request.args.get("state", OK)
    if state not in STATES:
        raise InvalidInput("There is no such state.", {"state": ["There is no such state."]}, 400)
    with in_turn(REPORTS, BUSY, "exports-limited"):
        found = Sites(db.session(), span, scope, settings_service.current().policies)
        page = page_counted_beside(found.in_state(state), *asked_page())
        rows = found.with_days(page.items)
    return render_template(
        "report/sites.html",
        state=state,
        titles=STATE_TITLES,
        page=replace(page, items=rows),
        checked=len(found.days),
        first_checked=found.days[0].day if found.days else None,
        last_checked=found.days[-1].day if found.days else None,
        about=_about(span, scope),
        link=_Links(span, scope),
    )


class _Links:
    """Addresses of the report, of parts of it, and of what is behind its numbers."""

    def __init__(self, span: Span, scope: Scope) -> None:
        given = {"group": scope.group, "source": scope.source, "assignee": scope.assignee}
        self._given = {
            "since": span.first.isoformat(),
            "until": span.last.isoformat(),
            **{name: text or NONE for name, text in given.items() if text is not None},
        }
        self._page, self._pair = cache(url_for), cache(_pair)  # hundreds of links to a few pages

    def report(self, **instead: str) -> str:
        """The report itself, narrowed further."""
        return self._address(".show", self._given | _named(instead))

    def whole(self, part: str) -> str:
        """The report with all its groups, sources or assignees."""
        return self._address(".show", self._given | {"all": part})

    def file(self) -> str:
        """The report as a file."""
        return self._address(".export", self._given)

    def jobs(self, number: str, **instead: str) -> str:
        """The jobs behind a number, of a part of it."""
        return self._address(".jobs", {"number": number} | self._given | _named(instead))

    def often(self) -> str:
        """The sites with many jobs."""
        return self._address(".often", self._given)

    def sites(self, state: str, **instead: str) -> str:
        """The sites behind a number of site-days."""
        return self._address(".days", {"state": state} | self._given | _named(instead))

    def of_days(self, number: str, first: date, last: date) -> str:
        """The jobs of a number on some dates."""
        return self.jobs(number, since=first.isoformat(), until=last.isoformat())

    def of_site(self, number: str, site_id: str) -> str:
        """The jobs of a number of one site."""
        return self.jobs(number, site_id=site_id)

    def _address(self, endpoint: str, given: Mapping[str, str]) -> str:
        return f"{self._page(endpoint)}?{'&'.join(self._pair(*each) for each in given.items())}"


def _pair(name: str, text: str) -> str:
    return urlencode({name: text})


def _named(instead: Mapping[str, str]) -> dict[str, str]:
    return {name: text or NONE for name, text in instead.items()}


def _asked(*, strict: bool = False) -> tuple[ReportForm, Span, Scope]:
    form = report_form(list(db.session.scalars(sites.groups())))
    span = form.span(_zone(), utcnow())
    if strict and form.errors:
        raise InvalidInput(
            "The report was not made.", {name: list(why) for name, why in form.errors.items()}, 400
        )
    return form, span, form.scope()


def _without_page() -> dict[str, str]:
    return {name: text for name, text in request.args.items() if name not in PageIn.model_fields}


def _zone() -> ZoneInfo:
    return settings_service.current().settings.schedule.zone


def _number() -> str:
    name = request.args.get("number", "")
    if name not in queries.NUMBERS:
        raise InvalidInput("There is no such number.", {"number": ["There is no such number."]}, 400)
    return name


def _report(span: Span, scope: Scope) -> Report:
    with in_turn(REPORTS, BUSY, "exports-limited"):
        return report(db.session(), span, scope, settings_service.current().policies)


def _about(span: Span, scope: Scope, site_id: str = "") -> str:
    """What a list is about, as a line under its title."""
    given = (
        ("group", scope.group),
        ("source", scope.source),
        ("assigned to", scope.assignee),
        ("site", site_id or None),
    )
    narrowed = [f"{word} {text}" if text else _WITHOUT[word] for word, text in given if text is not None]
    time = f"{span.first} to {span.last}" if span.first != span.last else f"{span.first}"
    return ", ".join([time, *narrowed])


_WITHOUT = {"group": "without a group", "source": "without a source", "assigned to": "assigned to nobody"}
