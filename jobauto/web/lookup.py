"""What an address names, or 404."""

from typing import TypeVar

from flask import abort

from ..clock import utcnow
from ..extensions import Base, db
from ..models import Site
from ..readings.classifying import require_classified
from ..sites import queries as sites

Model = TypeVar("Model", bound=Base)


def get_or_404(model: type[Model], key: int, noun: str) -> Model:
    """The row of a key."""
    found = db.session.get(model, key)
    if found is None:
        abort(404, f"There is no {noun} {key}.")
    return found


def site_or_404(site_id: str) -> Site:
    """The site of a business key. Its readings are classified before anybody looks at them."""
    site: Site | None = db.session.scalar(sites.by_site_id(site_id))
    if site is None:
        abort(404, f"There is no site {site_id}.")
    if require_classified(site.key, utcnow()):
        db.session.refresh(site)
    return site
