"""Telling people of the jobs that others assign to them, by mail.

1. Who assigns a job to somebody who wants to be told leaves a row, in the same transaction (:func:`note`).
2. Whoever sends messages first puts one for all rows of a person into the outbox (:func:`tell`): a minute
   after the first of them, and not while an action on several jobs is still adding to them; or once a day,
   at the hour of the daily run.
3. The text is made when the message is sent (:func:`text_of`), and at each try anew: it leaves out the jobs
   that are closed by then, or somebody else's.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Select, case, delete, exists, func, literal, select, update
from sqlalchemy.orm import Session

from ..audit.service import Author
from ..clock import Clock, utcnow
from ..extensions import db
from ..models import Assignment, BulkAction, Channel, Job, MailAddress, OutboxMessage, Site, User
from ..models.job import STILL_OPEN
from ..models.notification import WAITING
from ..models.types import Instant
from ..settings import service as settings_service
from ..settings.schedule import ONE_DAY, due_at
from ..settings.schema import ScheduleSettings
from ..storage.configuration import mail_server, public_url
from ..storage.connections import insert, write
from .outbox import Message, put
from .texts import MessageText, Opened, Place, assigned

KIND = "assigned"
GATHERED_FOR = timedelta(minutes=1)
"""So long it is waited for more jobs, or for a second thought, before somebody is told at once."""
KEPT_FOR = timedelta(days=7)
"""So long a row is kept that cannot be told, as of an address that was changed and not verified."""
NAMED = 20
"""So many jobs are named; all are counted."""

UNTOLD = Assignment.message_id.is_(None)
OF_NOW = MailAddress.replaced_at.is_(None)
WANTED = (OF_NOW, MailAddress.verified_at.is_not(None), MailAddress.assignments != "never", User.active)
"""Whose address may be told: beside a join of users and their addresses."""


def note(connection: Connection, username: str, jobs: Iterable[tuple[int, int]], author: Author) -> None:
    """Jobs (number, key of the site) were assigned to somebody, in the transaction of the caller."""
    if mail_server() is None or username == author.name:
        return
    wants = select(User.id).join(MailAddress, MailAddress.user_id == User.id)
    user_id = connection.scalar(wants.where(User.username == username, *WANTED))
    rows = [
        {"user_id": user_id, "job_id": job, "site_key": key, "at": author.now, "bulk_id": author.bulk_id}
        for job, key in jobs
    ]
    if user_id is not None and rows:
        connection.execute(insert(connection, Assignment).on_conflict_do_nothing(), rows)


def forget(session: Session, user_id: int) -> None:
    """Drop what somebody was still to be told, in the transaction of the caller."""
    mine = select(MailAddress.channel_id).where(MailAddress.user_id == user_id)
    waiting = (OutboxMessage.channel_id.in_(mine), OutboxMessage.kind == KIND, WAITING)
    session.execute(delete(OutboxMessage).where(*waiting).execution_options(synchronize_session=False))
    session.execute(delete(Assignment).where(Assignment.user_id == user_id, UNTOLD))


def tell(clock: Clock = utcnow) -> int:
    """Put a message for each person whose time has come into the outbox; how many. Needs an app context."""
    now = clock()
    if mail_server() is None or not db.session.scalar(select(exists().where(UNTOLD))):
        db.session.rollback()
        return 0
    schedule = settings_service.current().settings.schedule
    too_old = UNTOLD & (Assignment.at < now - KEPT_FOR)
    is_any_too_old = db.session.scalar(select(exists().where(too_old)))
    due = db.session.execute(_due(now - GATHERED_FOR, _last_hour(schedule, now))).all()
    db.session.rollback()
    told = sum(_tell(user_id, channel_id, now) for user_id, channel_id in due)
    if is_any_too_old:
        with write() as session:
            session.execute(delete(Assignment).where(too_old))
    return told


def text_of(session: Session, message_id: int) -> MessageText | None:
    """What a message says now; None where nothing is left to tell."""
    told = select(Assignment.job_id, Assignment.site_key, User.username).join(User).join(MailAddress, _MINE)
    still = told.where(Assignment.message_id == message_id, *WANTED).cte("told")
    theirs = (
        select(Job.id, Job.rule, Site.site_id, Site.site_name, Job.description, Job.covers)
        .join(still, (still.c.job_id == Job.id) & (still.c.site_key == Job.site_key))
        .join(Site, Site.key == Job.site_key)
        .where(STILL_OPEN, Job.assignee == still.c.username)
        .order_by(Job.id)
    )
    found = [Opened(*job) for job in session.execute(theirs)]
    return assigned(found[:NAMED], len(found), Place(ZoneInfo("UTC"), public_url())) if found else None


_MINE = MailAddress.user_id == User.id


def _due(at_once: datetime, daily: datetime) -> Select[int, int]:
    """(user, channel) of those of whose jobs one was assigned before these instants."""
    before = case(
        (MailAddress.assignments == "at_once", literal(at_once, Instant)), else_=literal(daily, Instant)
    )
    mine = (Assignment.user_id == User.id, UNTOLD)
    goes_on = exists().where(*mine, BulkAction.id == Assignment.bulk_id, BulkAction.finished_at.is_(None))
    return (
        select(User.id, MailAddress.channel_id)
        .join(MailAddress, _MINE)
        .where(*WANTED, exists().where(*mine, Assignment.at < before), ~goes_on)
        .order_by(User.id)
    )


def _last_hour(schedule: ScheduleSettings, now: datetime) -> datetime:
    """When the hour of the daily run was last, whether or not there was a run."""
    today = now.astimezone(schedule.zone).date()
    due = due_at(schedule, today)
    return due if due <= now else due_at(schedule, today - ONE_DAY)


def _tell(user_id: int, channel_id: int, now: datetime) -> bool:
    # Two processes name the message after the same row: the outbox takes it from one of them.
    mine: ColumnElement[bool] = (Assignment.user_id == user_id) & UNTOLD
    with write() as session:
        first = session.scalar(select(func.min(Assignment.id)).where(mine))
        message = Message(f"{KIND}-{first}", KIND, "jobauto: jobs assigned to you", "")
        if first is None or not put(session.connection(), Channel.id == channel_id, message, now):
            return False
        same = (OutboxMessage.channel_id == channel_id, OutboxMessage.topic == message.topic)
        message_id = session.scalars(select(OutboxMessage.id).where(*same)).one()
        taken = update(Assignment).where(mine).values(message_id=message_id)
        session.execute(taken.execution_options(synchronize_session=False))
    return True
