"""The inventory, a site's page, and changing a site."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select

from ...audit import queries as audit
from ...audit.conflicts import EditConflict, Seen
from ...audit.service import Difference
from ...clock import utcnow
from ...dashboard import coverage
from ...errors import InvalidInput
from ...extensions import db
from ...jobs import incidents
from ...jobs import queries as jobs
from ...models import Job, Reading, Site
from ...rules.moment import Moment
from ...rules.no_coms import NO_COMS
from ...rules.zero_reads import ZERO_READS
from ...settings import service as settings_service
from ...settings.schema import Settings
from ...sites import charts, history, listing, outcome, queries, service, states, year
from ...sites.calendar import calendar
from ...sites.days import Meters
from ...sites.export import sites_as_csv
from ...sites.listing import SiteFilter
from ...sites.scene import Scene, snoozes
from ...sites.sparklines import sparklines
from ...sites.thinning import day_of, midnight
from ...sites.years import years
from .. import drafts, site_meters
from ..access import current_author, needs
from ..exports import csv_file
from ..forms.errors import put_beside
from ..forms.meter_changes import MeterChangeForm
from ..forms.seen import PREFIX, Conflicts, catch_up, labelled, seen_in_request, seen_to_send
from ..forms.sites import SiteFilterForm, SiteForm, SitesForm, SnoozeForm, site_filter_form
from ..lookup import site_or_404
from ..numbers import whole_number
from ..paging import MOST, asked_page, count_of, describe_fields, list_address, page_up_to

bp = Blueprint("sites", __name__)

NEWEST_READINGS = 10
NEWEST_JOBS = 20
JOBS_A_YEAR = 1000
DONE = {"edit": "Saved.", "snooze": "Snoozed.", "wake": "The snooze has ended."}
"""The actions of a site's page, and what is said when one has changed something."""


@bp.get("/sites/")
def index() -> ResponseReturnValue:
    """Sites as the address asks for them, with what the rules said of them in the last run."""
    form, last, now = _filter(), states.last_runs(), utcnow()
    wanted = form.filter()
    found = _found(wanted, last, now)
    is_narrowed = bool(wanted.search or wanted.state)

    def in_order(query: Select[Any], is_all: bool) -> Select[Any]:
        return listing.in_order(query, wanted.sort, last, few=is_all and is_narrowed)

    page = page_up_to(found, *asked_page(), in_order=in_order)
    typed = drafts.typed()
    return render_template(
        "sites/index.html",
        page=page,
        form=form,
        bulk=SitesForm(typed),
        chosen=typed.getlist("site") if typed else [],
        last=last,
        states=states.states(page.items, last),
        last_readings=queries.last_readings(page.items),
        sparklines=sparklines(page.items, now, settings_service.current().settings.schedule.zone),
        open_jobs=_open_jobs(page.items),
        here=list_address(".index"),
        view=f"?{urlencode(form.used())}" if form.used() else "",
    )


@bp.get("/sites.csv")
def export() -> ResponseReturnValue:
    """The same sites as a file. A filter that cannot be meant is refused: nobody sees it beside a file."""
    wanted, last = _filter().strict_filter(), states.last_runs()
    found = _found(wanted, last, utcnow())
    zone = settings_service.current().settings.schedule.zone
    lines = sites_as_csv(listing.in_order(found, wanted.sort, last), last, zone, _open_jobs)
    return csv_file(lines, "sites.csv", rows=count_of(found))


def _found(wanted: SiteFilter, last: Sequence[states.LastRun], now: datetime) -> Select[Any]:
    if wanted.state not in coverage.NUMBERS:
        return listing.sites_found(wanted, last, now)
    policies = settings_service.current().policies
    behind = coverage.sites_behind(wanted.state, db.session(), policies, now)
    return listing.sites_found(replace(wanted, state=""), last, now).where(behind)


@bp.post("/sites/")
@needs("operator")
def bulk_submit() -> ResponseReturnValue:
    """Change several sites; what it does not apply to is named, and does not hold up the others."""
    form = SitesForm()
    chosen = list(dict.fromkeys(request.form.getlist("site")))[:MOST]
    if not form.validate() or not chosen:
        wrong = " ".join(why for name, found in form.errors.items() if name != "action" for why in found)
        flash(f"Nothing was changed: {wrong or 'tick some sites first, then choose what to do.'}", "warning")
        return redirect(list_address(".index"))
    if (missing := form.missing()) is not None:
        flash(f"Nothing was changed: {missing}.", "warning")
        return redirect(list_address(".index"))
    author = current_author()
    try:
        zone = settings_service.current().settings.schedule.zone
        values, unless = form.wanted(author.now, zone)
        seen = {site_id: _seen(site_id, values) for site_id in chosen}
        left = service.change_several(chosen, values, author=author, seen=seen, unless=unless)
    except InvalidInput as error:
        flash(f"Nothing was changed: {describe_fields(error.fields)}", "warning")
        return redirect(list_address(".index"))
    for told in outcome.of_several(len(chosen), left):
        flash(*told)
    return redirect(list_address(".index"))


def _filter() -> SiteFilterForm:
    return site_filter_form(
        db.session.scalars(queries.groups()).all(), db.session.scalars(listing.sources()).all()
    )


def _open_jobs(sites: Sequence[Site]) -> Mapping[int, int]:
    counted = db.session.execute(queries.count_open_jobs([site.key for site in sites])).all()
    return dict(counted)


def _seen(site_id: str, values: Mapping[str, Any]) -> Seen:
    """What the list showed of a site, as far as the form says so."""
    sent = {name: f"{PREFIX}{name}_{site_id}" for name in SitesForm.KEPT if name in values}
    return {name: request.form[field] for name, field in sent.items() if field in request.form}


@bp.get("/sites/<site_id:site_id>")
def show(site_id: str) -> ResponseReturnValue:
    """One site: what each rule says of it now, register and yield, its jobs; and the forms to change it."""
    return _page(site_or_404(site_id))


@bp.post("/sites/<site_id:site_id>")
@needs("operator")
def change(site_id: str) -> ResponseReturnValue:
    """Take one of the page's forms: its ``action`` is one of ``DONE`` or of ``site_meters.ACTIONS``."""
    site = site_or_404(site_id)
    action = request.form.get("action", "edit")
    if action in site_meters.ACTIONS:
        if (refused := site_meters.take(site, action)) is not None:
            return _page(site_or_404(site_id), refused), 422
        return redirect(url_for(".show", site_id=site_id))
    if action not in DONE:
        raise InvalidInput(f"There is no action {action}.", status=400)
    form = SnoozeForm() if action == "snooze" else SiteForm(obj=site)
    if action != "wake" and not form.validate():
        return _page(site, form), 422
    seen = seen_in_request(SiteForm.KEPT if action == "edit" else SnoozeForm.KEPT)
    try:
        changes = _apply(site_id, action, form, seen)
    except EditConflict as error:
        site = site_or_404(site_id)
        catch_up(form, site, seen)
        return _page(site, form, conflicts=labelled(form, error.conflicts)), error.status
    except InvalidInput as error:
        put_beside(form, error.fields)
        return _page(site_or_404(site_id), form), error.status
    flash(*(DONE[action], "success") if changes else ("Nothing was changed.", "info"))
    return redirect(url_for(".show", site_id=site_id))


def _apply(site_id: str, action: str, form: SiteForm | SnoozeForm, seen: Seen) -> list[Difference]:
    author = current_author()
    if action == "wake":
        return service.wake(site_id, author=author, seen=seen)
    if isinstance(form, SnoozeForm):
        zone = settings_service.current().settings.schedule.zone
        return service.snooze(site_id, form.day(), form.reason.data or "", zone, author=author, seen=seen)
    return service.edit(site_id, form.change(), author=author, seen=seen)


def _page(
    site: Site, typed: SiteForm | SnoozeForm | MeterChangeForm | None = None, conflicts: Conflicts = ()
) -> str:
    effective = settings_service.current().policies.effective(site.site_id, site.group)
    settings, now = effective.combined, utcnow()
    moment = settings.moment(now)
    verdicts = queries.verdicts(site, settings, moment)
    events = db.session.scalars(audit.newest_events_for("site", site.site_id)).all()[::-1]
    snoozed = snoozes(db.session.scalars(audit.changes_of("site", site.site_id, "snoozed_until")).all(), now)
    newest_jobs = db.session.scalars(jobs.concerning_site(site.key).limit(NEWEST_JOBS)).all()
    return render_template(
        "sites/show.html",
        site=site,
        form=typed if isinstance(typed, SiteForm) else SiteForm(drafts.typed("edit"), obj=site),
        snooze_form=typed if isinstance(typed, SnoozeForm) else SnoozeForm(drafts.typed("snooze")),
        open_form=type(typed).ACTION if typed else drafts.action() or request.args.get("open"),
        seen=seen_to_send(site, SiteForm.KEPT, anew=bool(conflicts)),
        seen_snooze=seen_to_send(site, SnoozeForm.KEPT, anew=bool(conflicts)),
        conflicts=conflicts,
        is_snoozed=site.is_snoozed(now),
        verdicts=verdicts,
        covered_by=incidents.covering(site),
        effective=effective,
        charts=_charts(site, settings, moment, verdicts, snoozed, newest_jobs),
        readings=history.newest((Reading.site_key == site.key,), NEWEST_READINGS, moment.zone),
        jobs=newest_jobs,
        history=events,
        **site_meters.shown(site, typed if isinstance(typed, MeterChangeForm) else None),
        **_years(site, moment, snoozed),
    )


def _years(site: Site, moment: Moment, snoozed: Sequence[tuple[datetime, datetime]]) -> dict[str, Any]:
    """The calendar of the year that the address asks for, and the yield of each; none without readings."""
    now, zone = moment.as_of, moment.zone
    if (reported := year.span(site.key, now)) is None:
        return {"calendar": None, "years": []}
    first, last = day_of(reported[0], zone).year, now.astimezone(zone).year
    asked = whole_number(request.args.get("year", "")) or last
    shown = asked if first <= asked <= last else last
    opened = jobs.opened_between(
        site.key, midnight(date(shown, 1, 1), zone), midnight(date(shown + 1, 1, 1), zone)
    )
    made = years(site, reported, now, zone)
    return {
        "calendar": calendar(
            year.year_of_days(site, shown, reported, now, zone),
            now,
            zone,
            snoozes=snoozed,
            jobs=db.session.scalars(opened.limit(JOBS_A_YEAR)).all(),
            covers=incidents.times_covered(site.key, now),
            made=next((one for one in made if one.year == shown), None),
        ),
        "calendar_years": range(last, first - 1, -1),
        "years": made,
    }


def _charts(
    site: Site,
    settings: Settings,
    moment: Moment,
    verdicts: Sequence[queries.Verdict],
    snoozed: Sequence[tuple[datetime, datetime]],
    of_site: Sequence[Job],
) -> dict[str, charts.Chart]:
    """The register and the daily yield; none of a site that has never reported."""
    sent = history.history(site.key, moment.as_of, moment.zone)
    if sent is None:
        return {}
    found = {verdict.rule: verdict for verdict in verdicts}
    no_coms = settings.rule(NO_COMS.name)
    is_judged = no_coms.enabled and found[NO_COMS.name].verdict != "not_judged"
    scene = Scene(
        sent.start,
        moment.as_of,
        moment.zone,
        days_threshold=NO_COMS.window(no_coms) if is_judged else None,
        flat_since=found[ZERO_READS.name].since,
        snoozes=snoozed,
        jobs=of_site,
        meters=Meters(site.counts == "down", site_meters.changes_of(site)),
        energies=history.energy_of_days(site.key, sent.start, moment.as_of, moment.zone)
        if site.measure == "interval"
        else None,
    )
    return {
        "register": charts.register(sent.readings, scene),
        "daily_yield": charts.daily_yield(sent.readings, scene),
    }
