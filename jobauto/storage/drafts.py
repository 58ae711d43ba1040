"""What people typed into a form that could not be taken, kept for them alone and for a while."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from ..extensions import db
from ..models import Draft
from .connections import insert, write

KEPT_FOR = timedelta(hours=1)
MOST_OF_A_USER = 20

Fields = list[list[str]]
"""(name, value) of each field of a form, in its order."""


def keep(user_id: int, path: str, fields: Fields, now: datetime) -> None:
    """Keep what a person typed into the form at ``path``, in place of what was kept of it before."""
    with write() as session:
        old = select(Draft.user_id, Draft.path).where(Draft.kept_at < now - KEPT_FOR)
        unlocked = old.with_for_update(skip_locked=True)
        session.execute(delete(Draft).where(tuple_(Draft.user_id, Draft.path).in_(unlocked)))
        statement = insert(session.connection(), Draft).values(
            user_id=user_id, path=path, fields=fields, kept_at=now
        )
        new = statement.excluded
        session.execute(
            statement.on_conflict_do_update(
                index_elements=[Draft.user_id, Draft.path],
                set_={"fields": new.fields, "kept_at": new.kept_at},
            )
        )
        mine = select(Draft.path).where(Draft.user_id == user_id).order_by(Draft.kept_at.desc(), Draft.path)
        too_many = session.scalars(mine.offset(MOST_OF_A_USER)).all()
        if too_many:
            session.execute(delete(Draft).where(Draft.user_id == user_id, Draft.path.in_(too_many)))


def kept(user_id: int, path: str, now: datetime) -> Fields | None:
    """What a person had typed into the form at ``path``."""
    mine = select(Draft.fields).where(Draft.user_id == user_id, Draft.path == path)
    return db.session.scalar(mine.where(Draft.kept_at >= now - KEPT_FOR))


def newest(user_id: int, now: datetime) -> str | None:
    """The path of the form that a person's newest draft belongs to."""
    mine = select(Draft.path).where(Draft.user_id == user_id, Draft.kept_at >= now - KEPT_FOR)
    return db.session.scalar(mine.order_by(Draft.kept_at.desc()).limit(1))


def forget(session: Session, user_id: int, path: str) -> None:
    """The form was sent: nothing is to be kept any more."""
    session.execute(delete(Draft).where(Draft.user_id == user_id, Draft.path == path))
