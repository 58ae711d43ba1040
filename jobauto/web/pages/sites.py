"""The inventory, a site's page, and changing a site."""

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...audit import queries as audit
from ...audit.conflicts import EditConflict, Seen
from ...audit.service import Difference
from ...clock import utcnow
from ...errors import InvalidInput
from ...extensions import db
from ...jobs import queries as jobs
from ...models import Event, Job, Reading, Site
from ...rules.moment import Moment
from ...rules.no_coms import NO_COMS
from ...rules.zero_reads import ZERO_READS
from ...settings import service as settings_service
from ...settings.schema import Settings
from ...sites import charts, history, queries, service
from ...sites.days import Meters
from ...sites.scene import Scene, snoozes
from .. import drafts, site_meters
from ..access import current_author, needs
from ..forms.errors import put_beside
from ..forms.meter_changes import MeterChangeForm
from ..forms.seen import Conflicts, catch_up, labelled, seen_in_request, seen_to_send
from ..forms.sites import SiteForm, SnoozeForm
from ..lookup import site_or_404
from ..paging import asked_page, page_up_to

bp = Blueprint("sites", __name__, url_prefix="/sites")

NEWEST_READINGS = 30
NEWEST_JOBS = 20
LONGEST_SEARCH = 200
DONE = {"edit": "Saved.", "snooze": "Snoozed.", "wake": "The snooze has ended."}
"""The actions of a site's page, and what is said when one has changed something."""


@bp.get("/")
def index() -> ResponseReturnValue:
    """All sites, by id, or those that a search or a group finds."""
    search, group = request.args.get("q", "").strip()[:LONGEST_SEARCH], request.args.get("group", "")
    page = page_up_to(queries.sites_matching(search, group), *asked_page())
    keys = [site.key for site in page.items]
    return render_template(
        "sites/index.html",
        page=page,
        search=search,
        group=group,
        groups=db.session.scalars(queries.groups()).all(),
        last_readings=queries.last_readings(page.items),
        open_jobs=dict(db.session.execute(jobs.open_by_site(keys)).all()),
        snoozed=db.session.scalars(queries.snoozed(utcnow()).limit(NEWEST_JOBS)).all(),
    )


@bp.get("/<site_id:site_id>")
def show(site_id: str) -> ResponseReturnValue:
    """One site: what each rule says of it now, register and yield, its jobs; and the forms to change it."""
    return _page(site_or_404(site_id))


@bp.post("/<site_id:site_id>")
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
    events = db.session.scalars(audit.events_for("site", site.site_id)).all()
    newest_jobs = db.session.scalars(jobs.of_site(site.key).limit(NEWEST_JOBS)).all()
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
        effective=effective,
        charts=_charts(site, settings, moment, verdicts, events, newest_jobs),
        readings=history.newest((Reading.site_key == site.key,), NEWEST_READINGS, moment.zone),
        jobs=newest_jobs,
        history=events,
        **site_meters.shown(site, typed if isinstance(typed, MeterChangeForm) else None),
    )


def _charts(
    site: Site,
    settings: Settings,
    moment: Moment,
    verdicts: Sequence[queries.Verdict],
    events: Sequence[Event],
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
        snoozes=snoozes(events, moment.as_of),
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
