"""What a site's page shows and takes of its readings in doubt and of its meters."""

from typing import Any

from flask import flash, request

from ..clock import utcnow
from ..errors import InvalidInput
from ..extensions import db
from ..models import MeterChange, Site
from ..models.review import STATES
from ..readings import meter_changes, queries
from ..settings import service as settings_service
from . import drafts
from .access import current_author
from .deciding import DECISIONS, decide_and_tell
from .forms.errors import put_beside
from .forms.meter_changes import MeterChangeForm
from .numbers import whole_numbers

ACTIONS = ("decide", "meter_change", "delete_meter_change")
"""The actions of a site's page that are taken here."""
MOST = 20


def shown(site: Site, typed: MeterChangeForm | None) -> dict[str, Any]:
    """What the templates of these parts need."""
    reviews = {state: _reviews(site, state) for state in STATES}
    return {
        "reviews": reviews,
        "decisions": DECISIONS,
        "meter_changes": db.session.scalars(meter_changes.of_site(site.key)).all(),
        "meter_form": typed or MeterChangeForm(drafts.typed(MeterChangeForm.ACTION)),
        "waits_for_its_turn": queries.waits_for_its_turn(site.key),
    }


def take(site: Site, action: str) -> MeterChangeForm | None:
    """Do what the page was asked for, and say what became of it; the form, where it cannot be taken."""
    if action == "decide":
        ticked = whole_numbers(request.form.getlist("review"))
        decide_and_tell(ticked, request.form.get("decision"), site_key=site.key)
        return None
    if action == "delete_meter_change":
        _delete(site)
        return None
    form = MeterChangeForm()
    try:
        if not form.validate():
            return form
        zone = settings_service.current().settings.schedule.zone
        meter_changes.record_change(site, form.change(zone, utcnow()), author=current_author())
    except InvalidInput as error:
        put_beside(form, error.fields)
        return form
    flash("The meter change is recorded.", "success")
    return None


def _delete(site: Site) -> None:
    for number in whole_numbers(request.form.getlist("change"))[:1]:
        try:
            meter_changes.delete_change(site, number, author=current_author())
        except meter_changes.UnknownMeterChange:
            flash("Nothing was changed: somebody has taken this meter change away already.", "info")
        else:
            flash("The meter change is taken away.", "success")


def _reviews(site: Site, state: str) -> list[Any]:
    wanted = queries.ReviewFilter(state=state, site_id=site.site_id)
    return list(db.session.scalars(queries.reviews_matching(wanted).limit(MOST)))


def changes_of(site: Site) -> list[MeterChange]:
    """A site's meter changes, oldest first, as charts want them."""
    return list(db.session.scalars(meter_changes.of_site(site.key)))[::-1]
