"""All readings of a site, page by page, and as a file.

Not below the address of the site: what follows that may be part of a site_id.
"""

from datetime import date, datetime
from urllib.parse import urlencode

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...errors import InvalidInput
from ...extensions import db
from ...models import Site
from ...models.types import MICROSECOND
from ...settings import service as settings_service
from ...sites import queries
from ...sites.export import readings_as_csv
from ...sites.thinning import DAY, midnight
from ..exports import csv_file
from ..lookup import site_or_404
from ..paging import count_of, require_parameters

bp = Blueprint("readings", __name__)

PER_PAGE = 100


@bp.get("/readings/<site_id:site_id>")
def index(site_id: str) -> ResponseReturnValue:
    """Readings, newest first: those before an instant, after one, or up to a day; else the newest."""
    site = site_or_404(site_id)
    before, after = _instant("before"), _instant("after")
    if after is not None:
        found = list(db.session.scalars(queries.readings_after(site, after).limit(PER_PAGE + 1)))
        items, newer, older = found[:PER_PAGE][::-1], len(found) > PER_PAGE, True
    else:
        until = before or _end_of_day()
        found = list(db.session.scalars(queries.readings_before(site, until).limit(PER_PAGE + 1)))
        items, older = found[:PER_PAGE], len(found) > PER_PAGE
        newer = bool(items) and until is not None and _is_any_after(site, items[0].reading_date)
    return render_template(
        "readings/index.html",
        site=site,
        items=items,
        day=request.args.get("day", ""),
        newer=_address(site_id, "after", items[0].reading_date) if newer and items else None,
        older=_address(site_id, "before", items[-1].reading_date) if older and items else None,
    )


@bp.get("/readings.csv/<site_id:site_id>")
def export(site_id: str) -> ResponseReturnValue:
    """All of them as a file, oldest first."""
    require_parameters()
    site = site_or_404(site_id)
    found = queries.readings(site).order_by(None)
    lines = readings_as_csv(
        site.site_id, queries.readings_after(site, None), settings_service.current().settings.schedule.zone
    )
    return csv_file(lines, "readings.csv", rows=count_of(found))


def _address(site_id: str, name: str, at: datetime) -> str:
    return f"{url_for('.index', site_id=site_id)}?{urlencode({name: at.isoformat()})}"


def _is_any_after(site: Site, at: datetime) -> bool:
    return db.session.scalar(queries.readings_after(site, at).limit(1)) is not None


def _instant(name: str) -> datetime | None:
    """An instant of the address, as our own links have it. Raises InvalidInput."""
    if not (text := request.args.get(name, "").strip()):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise InvalidInput(f"{name}: Must be an instant with an offset.", {name: ["No instant."]}, 400)
    return at


def _end_of_day() -> datetime | None:
    """Before what the readings are of the day that the address asks for: the midnight that ends a day belongs
    to it. Raises InvalidInput."""
    if not (text := request.args.get("day", "").strip()):
        return None
    try:
        day = date.fromisoformat(text)
        return midnight(day + DAY, settings_service.current().settings.schedule.zone) + MICROSECOND
    except (ValueError, OverflowError) as error:
        raise InvalidInput("day: Must be a date.", {"day": ["No date."]}, 400) from error
