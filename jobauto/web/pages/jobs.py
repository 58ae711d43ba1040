"""Lists of jobs, a job's page, and the steps of the work."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...audit import queries as audit
from ...audit.conflicts import EditConflict
from ...clock import utcnow
from ...errors import InvalidInput
from ...extensions import db
from ...jobs import bulk_actions, incidents, outcome, queries, service, views
from ...jobs.notes import found_notes
from ...jobs.progress import Seen, progress
from ...jobs.queries import JobFilter
from ...jobs.recurrence import recurrence
from ...jobs.sorting import BY_SITE, SORTS
from ...models import Event, Job, JobReading, Reading, Run
from ...models.types import BEFORE_ALL
from ...models.user import ROWS
from ...readings import recoveries
from ...readings.classifying import require_classified
from ...rules import RULES
from ...rules.no_coms import NO_COMS
from ...rules.zero_reads import ZERO_READS
from ...settings import service as settings_service
from ...settings.labels import of_section
from ...settings.schema import Settings
from ...sites import charts, history
from ...sites import queries as sites
from ...sites.days import Meters
from ...sites.scene import Scene
from ...sites.thinning import edges, thinned
from ...users import queries as users
from .. import closing, drafts, site_meters
from ..access import needs
from ..carrying_out import carry_out
from ..exports import csv_response
from ..forms.choices import of_names
from ..forms.errors import put_beside
from ..forms.jobs import BulkForm, FilterForm, JobForm, ViewForm, filter_form, filter_of
from ..forms.seen import Conflicts, catch_up, labelled, seen_in_request, seen_to_send
from ..lookup import get_or_404
from ..paging import Page, asked_page, count_of, describe_fields, list_address, page_up_to

bp = Blueprint("jobs", __name__, url_prefix="/jobs")

NEWEST_READINGS = 62
"""All that a job was opened on, too: by day where there are more than two a day, of 30 days at most."""
OTHER_JOBS = 20
NEIGHBOURS = (("Previous", True, "prev"), ("Next", False, "next"))
HEADINGS = {
    "Site": BY_SITE,
    "Faulty for": ("longest", "shortest"),
    "Created": ("newest", "oldest"),
}
"""By which orders a heading sorts; the first press is the first."""
DESCENDING = {"newest", "longest", "site_back"}


@bp.get("/")
def index() -> ResponseReturnValue:
    """Jobs as the address asks for them; the open ones where it asks for nothing."""
    form, bulk, now, zone = _filter("unclosed"), BulkForm(), utcnow(), _zone()
    bulk.offer(users.assignable())
    used = form.used()
    of_everybody = views.views(current_user.username, now, zone)
    here = next((view for view in of_everybody if view.query.items() <= used.items()), None)
    wanted = queries.bounded(form.filter(now, zone))
    number, rows = asked_page(_rows())
    page = page_up_to(
        queries.jobs_matching(wanted, now),
        number,
        rows,
        in_order=lambda _, is_all: (
            queries.jobs_matching(wanted, now)
            if is_all
            else queries.first_jobs_matching(wanted, now, number * rows)
        ),
    )
    kept = db.session.scalars(views.kept_by(current_user.id)).all()
    filters = {view.name: filter_of(view.query).filter(now, zone) for view in kept}
    open_jobs = next(view.count for view in of_everybody if view.is_all_open) or 0
    return render_template(
        "jobs/index.html",
        page=page,
        notes=found_notes([job.id for job in page.items], wanted.search),
        within=wanted.within,
        form=form,
        bulk=bulk,
        views=of_everybody,
        kept=kept,
        open_jobs=open_jobs,
        kept_counts=views.count_kept(filters, open_jobs, now),
        here=here,
        used=used,
        view=urlencode(used),
        chips=form.chips(here),
        headings=_headings(used, form.order()),
        sorts=SORTS,
        queues=db.session.scalars(queries.queues()).all(),
        rows_offered=ROWS,
        has_jobs=bool(page.total) or db.session.scalar(queries.newest(1)) is not None,
    )


@bp.post("/view")
def keep_view() -> ResponseReturnValue:
    """Keep a view under a name, rename or forget it; or remember how many rows a page has."""
    form = ViewForm()
    if not form.validate():
        flash(f"Nothing was kept: {describe_fields(form.errors)}", "warning")
    elif form.action.data == "rows":
        views.choose_rows(current_user.id, int(form.rows.data))
    else:
        try:
            flash(_change_view(form), "success")
        except InvalidInput as error:
            flash(str(error), "warning")
    query = "" if form.query.errors else form.query.data or ""  # where it leads is kept for a second press
    return redirect(f"{url_for('.index')}?{urlencode(parse_qsl(query))}")


def _change_view(form: ViewForm) -> str:
    """What was asked for, done, in words. Raises InvalidInput."""
    name = (form.name.data or "").strip()
    kept_as = form.kept_as.data or name  # a page from before views could be renamed has the name alone
    if form.action.data == "forget":
        views.forget(current_user.id, kept_as)
        return "The view is kept no longer."
    if form.action.data == "rename":
        views.rename(current_user.id, kept_as, name)
        return f"The view {kept_as} is called {name} now."
    replaced = views.keep(current_user.id, name, form.query.data or "")
    instead = ", in place of another of that name" if replaced else ""
    return f"The view {name} is kept{instead}."


@bp.get("/export.csv")
def export() -> ResponseReturnValue:
    """The same jobs as a file. A filter that cannot be meant is refused: nobody sees it beside a file."""
    return csv_response(_filter().strict_filter(utcnow(), _zone()))


@bp.post("/")
@needs("operator")
def bulk_submit() -> ResponseReturnValue:
    """Change several jobs; what cannot be changed is named, and does not hold up the others."""
    form = BulkForm()
    form.offer(users.assignable())
    told, chosen = form.told(), form.chosen()
    if not form.validate() or not (chosen or told):
        flash("Nothing was changed: tick some jobs first, then choose what to do with them.", "warning")
    elif (missing := form.missing()) is not None:
        flash(f"Nothing was changed: {missing}.", "warning")
    else:
        try:
            carry_out(*(_begin(form, chosen) if told is None else _begin_with_all(form, told)))
        except InvalidInput as error:
            flash(str(error), "warning")
    return redirect(list_address(".index"))


def _begin(form: BulkForm, chosen: dict[int, str]) -> tuple[int, int]:
    """The id of the action, and of how many jobs it is. Raises InvalidInput."""
    begun = bulk_actions.begin(chosen, form.wanted(), by=current_user.username, now=utcnow())
    return begun, len(chosen)


def _begin_with_all(form: BulkForm, told: int) -> tuple[int, int]:
    now = utcnow()
    jobs = queries.jobs_matching(queries.bounded(_filter("unclosed").filter(now, _zone())), now)
    count = min(count_of(jobs.limit(bulk_actions.MOST + 1)), bulk_actions.MOST)
    if count > told:
        raise InvalidInput(
            f"Nothing was changed: {count:,} jobs match now, and the page said {told:,}. Look again."
        )
    return bulk_actions.begin_matching(jobs, form.wanted(), by=current_user.username, now=now), count


@bp.get("/<int:job_id>")
def show(job_id: int) -> ResponseReturnValue:
    """One job: what was seen and when, what the register has done since, and the history.

    The address may name the view in which it was found.
    """
    job = get_or_404(Job, job_id, "job")
    return _page(job, _form(job, formdata=drafts.typed()))


@bp.post("/<int:job_id>")
@needs("operator")
def change(job_id: int) -> ResponseReturnValue:
    """Take a step of the work; and go on to the next job of the view, where that was asked for."""
    job = get_or_404(Job, job_id, "job")
    form = _form(job)
    if not form.validate():
        return _page(job, form), 422
    seen = seen_in_request(form.KEPT)
    wanted = form.change({name: getattr(job, name) or "" for name in form.KEPT} | dict(seen))
    if (wrong := closing.wrong_snooze(form.snooze_until.data, wanted)) is not None:
        form.snooze_until.errors = [wrong]
        return _page(job, form), 422
    try:
        changes = service.change(job_id, wanted, by=current_user.username, now=utcnow(), seen=seen)
    except EditConflict as error:
        job = get_or_404(Job, job_id, "job")
        catch_up(form, job, seen)
        return _page(job, form, conflicts=labelled(form, error.conflicts)), error.status
    except InvalidInput as error:
        put_beside(form, error.fields)
        flash(str(error), "danger")
        return _page(get_or_404(Job, job_id, "job"), form), error.status
    flash(*outcome.of_job(job_id, changes))
    if form.snooze_until.data is not None:
        flash(*closing.snooze_site(get_or_404(Job, job_id, "job"), form.snooze_until.data))
    if form.then.data == "next":
        return redirect(_after(get_or_404(Job, job_id, "job")))
    return redirect(InView.of_address().page_of(job_id))


def _after(job: Job) -> str:
    """Where one goes on from a job that is done: to the next one of its view, or back to the list."""
    view = InView.of_address()
    following = view.next_to(job)
    if following is None:
        flash("That was the last job of this view.", "aside")
        return view.back()
    return view.page_of(following)


@dataclass(frozen=True)
class InView:
    """The view in which a job was found, as the address of its page has it; without one, the open jobs.

    ``query`` is what addresses carry of it, the page of the list included.
    """

    query: dict[str, str]
    wanted: JobFilter

    @classmethod
    def of_address(cls) -> "InView":
        form = filter_form([], [], [], status="unclosed")
        names = {*form.used(), "page"} if request.args.keys() - {"typed"} else set()
        query = {name: text for name, text in (form.used() | request.args.to_dict()).items() if name in names}
        return cls(query, queries.bounded(form.filter(utcnow(), _zone())))

    def next_to(self, job: Job, *, back: bool = False) -> int | None:
        """The number of the job that comes after one, or before it."""
        return db.session.scalar(queries.next_in_view(job, self.wanted, utcnow(), back=back))

    def back(self, job: Job | None = None) -> str:
        """The address of the list, at the place of a job."""
        return self._address(url_for(".index")) + (f"#row-{job.id}" if job else "")

    def page_of(self, job_id: int) -> str:
        """The address of a job's page that goes on from this view."""
        return self._address(url_for(".show", job_id=job_id))

    def _address(self, page: str) -> str:
        return f"{page}?{urlencode(self.query)}" if self.query else page


def _filter(status: str = "any") -> FilterForm:
    return filter_form(
        _assignees(),
        list(db.session.scalars(queries.queues())),
        list(db.session.scalars(sites.groups())),
        status=status,
    )


def _zone() -> ZoneInfo:
    return settings_service.current().settings.schedule.zone


def _rows() -> int:
    return current_user.rows_a_page or ROWS[0]


def _headings(used: dict[str, str], order: str) -> dict[str, tuple[str, str]]:
    """Where a press on a heading leads, and, of the one that the list is sorted by, in which direction."""
    found = {}
    for heading, names in HEADINGS.items():
        to = SORTS[order].other if order in names else names[0]
        direction = ("descending" if order in DESCENDING else "ascending") if order in names else ""
        found[heading] = f"{url_for('.index')}?{urlencode(used | {'sort': to})}", direction
    return found


def _assignees() -> list[tuple[str, str]]:
    """Whom to filter by: everybody who can be given a job, and whoever has open ones all the same."""
    assignable = users.assignable()
    others = {name for name in db.session.scalars(queries.assignees_of_open_jobs()) if name} - set(assignable)
    marked = users.why_not_assignable(others) if others else {}
    return [*of_names(assignable), *((name, f"{name} ({why})") for name, why in sorted(marked.items()))]


def _form(job: Job, **given: Any) -> JobForm:
    """The form with what was posted, or typed before, otherwise with the job as it is."""
    form = JobForm(data={name: getattr(job, name) or "" for name in JobForm.KEPT}, **given)
    form.offer(users.assignable(job.assignee))
    return form


def _page(job: Job, form: JobForm, conflicts: Conflicts = ()) -> str:
    now, in_view = utcnow(), InView.of_address()
    require_classified(job.site_key, now)
    site = job.site
    settings = settings_service.current().policies.effective(site.site_id, site.group).combined
    zone = settings.schedule.zone
    earlier = db.session.scalars(queries.earlier_of_this_fault(job)).all()
    events = db.session.scalars(audit.newest_events_for("job", job.id)).all()[::-1]
    run = db.session.get_one(Run, job.run_id)
    of_then = settings_service.stored_as(run.settings_version).policies
    used = of_then.effective(site.site_id, site.group).combined
    seen = queries.seen(job, _days_looked_at(job, used), now)
    after = (Reading.site_key == job.site_key, Reading.reading_date > (seen.evidence.last or BEFORE_ALL))
    return render_template(
        "jobs/show.html",
        job=job,
        incident=incidents.of_job(job),
        covered=_covered(job, now),
        run=run,
        form=form,
        in_view=in_view,
        back=in_view.back(job),
        neighbours=[(label, in_view.next_to(job, back=back), rel) for label, back, rel in NEIGHBOURS],
        queues=db.session.scalars(queries.queues()).all(),
        earlier=earlier,
        shown=seen_to_send(job, form.KEPT, anew=bool(conflicts)),
        conflicts=conflicts,
        fault=closing.fault_that_holds(job, settings, now),
        after_closing=closing.what_follows(job, settings),
        recurrence=recurrence(job, earlier, zone),
        history=events,
        wrong_by_now=db.session.scalar(queries.wrong_by_now(job)),
        not_recovered=_why_not_recovered(job, events),
        seen=seen,
        evidence=history.newest(queries.evidence_of(job), NEWEST_READINGS, zone, JobReading),
        since=history.newest(after, NEWEST_READINGS, zone),
        progress=progress(job, seen, zone),
        chart=_chart(job, used, seen, zone, now),
        others=db.session.scalars(
            queries.of_site(job.site_key).where(Job.id != job.id).limit(OTHER_JOBS)
        ).all(),
        settings_used=of_section(used, job.rule.upper()),
    )


def _covered(job: Job, now: datetime) -> Page[incidents.CoveredSite]:
    """The sites of an incident but its own, as the address asks for them."""
    number, per_page = asked_page()
    sites = list(incidents.covered_sites(job, now, limit=per_page, offset=(number - 1) * per_page))
    return Page(sites, number, per_page, job.covers or 0)


def _why_not_recovered(job: Job, events: Sequence[Event]) -> str:
    """Why a job that was marked as recovered is so no longer, where its readings are the reason."""
    told = [event for event in events if event.field in (recoveries.MADE, recoveries.UNDONE)]
    if job.recovered_at is not None or not told or told[-1].field != recoveries.UNDONE:
        return ""
    why = told[-1].after or ""
    return f"{why[:1].upper()}{why[1:]}."


def _days_looked_at(job: Job, used: Settings) -> int:
    """How many days the job's rule looked at; none of a rule that is no more."""
    return next((rule.window(used.rule(rule.name)) for rule in RULES if rule.name == job.rule), 0)


def _chart(job: Job, used: Settings, seen: Seen, zone: ZoneInfo, now: datetime) -> charts.Chart | None:
    """The register around the fault and up to now, with the readings that the job was opened on."""
    sent = history.history(job.site_key, now, zone, earliest=seen.evidence.first)
    if sent is None:
        return None
    buckets = edges(sent.start, seen.evidence.last or sent.start, zone)
    evidence = db.session.execute(thinned(JobReading, queries.evidence_of(job), buckets)).all()
    scene = Scene(
        sent.start,
        now,
        zone,
        days_threshold=NO_COMS.window(used.rule(NO_COMS.name)) if job.rule == NO_COMS.name else None,
        flat_since=job.since if job.rule == ZERO_READS.name and seen.stands_still else None,
        jobs=[job],
        meters=Meters(job.site.counts == "down", site_meters.changes_of(job.site)),
        energies=() if job.site.measure == "interval" else None,
    )
    return charts.register(sent.readings, scene, evidence)
