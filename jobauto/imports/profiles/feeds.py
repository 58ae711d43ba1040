"""What has come through each profile: feeds as a list shows them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from ...extensions import db
from ...models import Import


@dataclass(frozen=True)
class Feed:
    """The newest file that was imported through a profile, and when it was."""

    filename: str
    import_id: int
    at: datetime


def newest_files() -> dict[str, Feed]:
    """Of each profile by its name in small letters, the newest file that was imported."""
    newest = (
        select(func.max(Import.id))
        .where(Import.profile.is_not(None), ~Import.dry_run, Import.status == "finished")
        .group_by(func.lower(Import.profile))
    )
    found = db.session.scalars(select(Import).where(Import.id.in_(newest)))
    return {
        (entry.profile or "").lower(): Feed(entry.filename, entry.id, entry.finished_at or entry.requested_at)
        for entry in found
    }
