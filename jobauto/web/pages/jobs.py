"""Lists of jobs, a job's page, and the steps of the work."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...audit import queries as audit
from ...audit.conflicts import EditConflict
from ...clock import utcnow
from ...errors import InvalidInput
from ...extensions import db
from ...jobs import outcome, queries, service
from ...jobs.progress import Seen, progress
from ...jobs.recurrence import recurrence
from ...models import Event, Job, JobReading, Reading, Run
from ...models.types import BEFORE_ALL
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
from ..exports import csv_response
from ..forms.choices import of_names
from ..forms.errors import put_beside
from ..forms.jobs import BulkForm, FilterForm, JobForm, filter_form
from ..forms.seen import Conflicts, catch_up, labelled, seen_in_request, seen_to_send
from ..lookup import get_or_404
from ..numbers import whole_numbers
from ..paging import MOST, asked_page, page_up_to

bp = Blueprint("jobs", __name__, url_prefix="/jobs")

NEWEST_READINGS = 62
"""All that a job was opened on, too: by day where there are more than two a day, of 30 days at most."""
OTHER_JOBS = 20


@bp.get("/")
def index() -> ResponseReturnValue:
    """Jobs as the address asks for them."""
    form = _filter()
    bulk = BulkForm()
    bulk.offer(users.assignable())
    return render_template(
        "jobs/index.html",
        page=page_up_to(queries.jobs_matching(form.filter(), utcnow()), *asked_page()),
        form=form,
        bulk=bulk,
        here=_back_to_list(),
        view=f"?{urlencode(form.used())}" if form.used() else "",
    )


@bp.get("/export.csv")
def export() -> ResponseReturnValue:
    """The same jobs as a file. A filter that cannot be meant is refused: nobody sees it beside a file."""
    return csv_response(_filter().strict_filter())


@bp.post("/")
@needs("operator")
def bulk_submit() -> ResponseReturnValue:
    """Change several jobs; what cannot be changed is named, and does not hold up the others."""
    form = BulkForm()
    form.offer(users.assignable())
    chosen = whole_numbers(request.form.getlist("job"))[:MOST]
    if not form.validate() or not chosen:
        flash("Nothing was changed: tick some jobs first, then choose what to do with them.", "warning")
        return redirect(_back_to_list())
    if not form.is_complete():
        flash("Nothing was changed: choose whom to assign the ticked jobs to.", "warning")
        return redirect(_back_to_list())
    chosen = list(dict.fromkeys(chosen))
    refused = service.change_several(
        chosen, form.change(), by=current_user.username, now=utcnow(), unless=form.unless()
    )
    flash(*outcome.of_several(len(chosen), len(refused)))
    if form.action.data == "close" and (told := closing.left_open(set(chosen) - set(refused))):
        flash(told, "aside")
    for job_id, reason in refused.items():
        flash(f"Job {job_id}: {reason}", "warning")
    return redirect(_back_to_list())


@bp.get("/<int:job_id>")
def show(job_id: int) -> ResponseReturnValue:
    """One job: what was seen and when, what the register has done since, and the history."""
    job = get_or_404(Job, job_id, "job")
    return _page(job, _form(job, formdata=drafts.typed()))


@bp.post("/<int:job_id>")
@needs("operator")
def change(job_id: int) -> ResponseReturnValue:
    """Take a step of the work."""
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
    return redirect(url_for(".show", job_id=job_id))


def _filter() -> FilterForm:
    return filter_form(
        _assignees(),
        list(db.session.scalars(queries.queues())),
        list(db.session.scalars(sites.groups())),
    )


def _assignees() -> list[tuple[str, str]]:
    """Whom to filter by: everybody who can be given a job, and whoever has open ones all the same."""
    assignable = users.assignable()
    others = {name for name in db.session.scalars(queries.assignees_of_open_jobs()) if name} - set(assignable)
    marked = users.why_not_assignable(others) if others else {}
    return [*of_names(assignable), *((name, f"{name} ({why})") for name, why in sorted(marked.items()))]


def _back_to_list() -> str:
    query = request.query_string.decode(errors="replace")
    return f"{url_for('.index')}?{query}" if query else url_for(".index")


def _form(job: Job, **given: Any) -> JobForm:
    """The form with what was posted, or typed before, otherwise with the job as it is."""
    form = JobForm(data={name: getattr(job, name) or "" for name in JobForm.KEPT}, **given)
    form.offer(users.assignable(job.assignee))
    return form


def _page(job: Job, form: JobForm, conflicts: Conflicts = ()) -> str:
    now = utcnow()
    require_classified(job.site_key, now)
    site = job.site
    settings = settings_service.current().policies.effective(site.site_id, site.group).combined
    zone = settings.schedule.zone
    earlier = db.session.scalars(queries.earlier_of_this_fault(job)).all()
    events = db.session.scalars(audit.events_for("job", job.id)).all()
    run = db.session.get_one(Run, job.run_id)
    of_then = settings_service.stored_as(run.settings_version).policies
    used = of_then.effective(site.site_id, site.group).combined
    seen = queries.seen(job, _days_looked_at(job, used), now)
    after = (Reading.site_key == job.site_key, Reading.reading_date > (seen.evidence.last or BEFORE_ALL))
    return render_template(
        "jobs/show.html",
        job=job,
        run=run,
        form=form,
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
