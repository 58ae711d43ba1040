"""Lists of jobs, a job's page, and the steps of the work."""

import re
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...audit import queries as audit
from ...clock import utcnow
from ...errors import InvalidInput
from ...extensions import db
from ...jobs import queries, service
from ...jobs.export import as_csv
from ...jobs.progress import Seen, progress
from ...models import Job, JobReading, Reading
from ...models.types import BEFORE_ALL
from ...rules import NO_COMS, RULES, ZERO_READS
from ...settings import service as settings_service
from ...settings.labels import of_section
from ...settings.schema import Settings
from ...sites import charts, history
from ...sites import queries as sites
from ...sites.scene import Scene
from ...sites.thinning import edges, thinned
from ...users import queries as users
from ...wording import pluralize
from ..access import needs
from ..forms.jobs import BulkForm, FilterForm, JobForm, filter_form
from ..lookup import get_or_404
from ..paging import MOST, asked_page, page_up_to

bp = Blueprint("jobs", __name__, url_prefix="/jobs")

JOB_ID = re.compile("[0-9]{1,18}")
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
    """The same jobs as a file."""
    lines = as_csv(queries.jobs_matching(_filter().filter(), utcnow()))
    headers = {"Content-Disposition": "attachment; filename=jobs.csv"}
    return Response(stream_with_context(lines), mimetype="text/csv", headers=headers)


@bp.post("/")
@needs("operator")
def bulk_submit() -> ResponseReturnValue:
    """Change several jobs; what cannot be changed is named, and does not hold up the others."""
    form = BulkForm()
    form.offer(users.assignable())
    chosen = [int(text) for text in request.form.getlist("job") if JOB_ID.fullmatch(text)][:MOST]
    if not form.validate() or not chosen:
        flash("Nothing was changed: tick some jobs first, then choose what to do with them.", "warning")
        return redirect(_back_to_list())
    refused = service.change_several(chosen, form.change(), by=current_user.username, now=utcnow())
    of_all = f" of {len(chosen):,}" if refused else ""
    flash(
        f"Changed {pluralize(len(chosen) - len(refused), 'job')}{of_all}.",
        "warning" if refused else "success",
    )
    for job_id, reason in refused.items():
        flash(f"Job {job_id}: {reason}", "warning")
    return redirect(_back_to_list())


@bp.get("/<int:job_id>")
def show(job_id: int) -> ResponseReturnValue:
    """One job: what was seen and when, what the register has done since, and the history."""
    job = get_or_404(Job, job_id, "job")
    return _page(job, _form(job))


@bp.post("/<int:job_id>")
@needs("operator")
def change(job_id: int) -> ResponseReturnValue:
    """Take a step of the work."""
    job = get_or_404(Job, job_id, "job")
    form = _form(job)
    if not form.validate():
        return _page(job, form), 422
    try:
        service.change(job_id, form.change(), by=current_user.username, now=utcnow())
    except InvalidInput as error:
        for name, why in error.fields.items():
            form[name].errors = why
        flash(str(error), "danger")
        return _page(get_or_404(Job, job_id, "job"), form), error.status
    flash("Saved.", "success")
    return redirect(url_for(".show", job_id=job_id))


def _filter() -> FilterForm:
    return filter_form(
        users.assignable(),
        list(db.session.scalars(queries.queues())),
        list(db.session.scalars(sites.groups())),
    )


def _back_to_list() -> str:
    query = request.query_string.decode(errors="replace")
    return f"{url_for('.index')}?{query}" if query else url_for(".index")


def _form(job: Job) -> JobForm:
    """The form with what was posted, otherwise with the job as it is."""
    form = JobForm(data={name: getattr(job, name) or "" for name in JobForm.KEPT})
    form.offer(users.assignable(job.assignee))
    return form


def _page(job: Job, form: JobForm) -> str:
    zone, now = settings_service.current().settings.schedule.zone, utcnow()
    used = settings_service.of_version(queries.settings_version(job))
    seen = queries.seen(job, _days_looked_at(job, used), now)
    after = (Reading.site_key == job.site_key, Reading.reading_date > (seen.evidence.last or BEFORE_ALL))
    return render_template(
        "jobs/show.html",
        job=job,
        form=form,
        history=db.session.scalars(audit.events_for("job", job.id)).all(),
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
        days_threshold=used.no_coms.days_threshold if job.rule == NO_COMS.name else None,
        flat_since=job.since if job.rule == ZERO_READS.name and seen.stands_still else None,
        jobs=[job],
    )
    return charts.register(sent.readings, scene, evidence)
