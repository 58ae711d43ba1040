"""What is sent, and to whom. Each is called in the transaction of the event, and puts its messages there.

| event                                    | messages    | heartbeats        |
| ---------------------------------------- | ----------- | ----------------- |
| a run starts                             |             | start             |
| it succeeded                             |             | success           |
| it failed, is partial, held, or crashed  | problem     | fail              |
| it was a daily run, and has not failed   | digest      |                   |
| a daily run is overdue by over an hour   | problem     |                   |
| an import failed                         | problem     |                   |
| a feed has not brought what is expected  | problem     |                   |
| a token ends within 30 days, within 7    | problem     |                   |
| an admin resets somebody's second factor | problem     |                   |

What is told to one person, by mail, is in ``assignments`` and in :mod:`jobauto.users.mail_addresses`.
Nothing is sent about the runs of the demo: they never were.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, exists, or_, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from ..logs import LogEvent
from ..models import ApiToken, Channel, Import, OutboxMessage, Run, SettingsVersion
from ..settings import service as settings_service
from ..settings.schedule import due_at
from ..settings.stored import read_stored
from ..storage.configuration import public_url
from ..storage.connections import write
from . import digest, texts
from .outbox import DIGESTS, HEARTBEATS, PROBLEMS, Message, put
from .texts import MessageText, Place

log = logging.getLogger("job_automation")

Entity = TypeVar("Entity", Run, Import)
_RUNS = UUID("6d1c8b52-0f0e-4a57-9d0e-0e2f6a1b7c33")


def rid(run_id: int) -> str:
    """The UUID by which a heartbeat's service knows which start and which end are of the same run."""
    return str(uuid5(_RUNS, str(run_id)))


def run_started(connection: Connection, run_id: int, now: datetime) -> None:
    """A run has begun."""
    with _without_harm(connection, "start", run_id):
        if not connection.scalar(select(Run.is_demo).where(Run.id == run_id)):
            _signal(connection, run_id, "start", now)


def run_ended(connection: Connection, run_id: int, now: datetime) -> None:
    """A run has ended, as its row says, or was found dead."""
    with _without_harm(connection, "end", run_id):
        found = select(Run.is_demo, Run.status, Run.slot, Run.settings_version).where(Run.id == run_id)
        is_demo, status, slot, settings_version = connection.execute(found).one()
        if is_demo:
            return
        if status != "succeeded" or slot is not None:
            run, place = _as_stored(connection, Run, run_id), _place(connection, settings_version)
            if status != "succeeded":
                _problem(connection, f"run-{run_id}-{status}", texts.run_problem(run, place), now)
            if slot is not None and status in digest.DIGESTED:
                _digest(connection, run, place, now)
        _signal(connection, run_id, "success" if status == "succeeded" else "fail", now)


def messages_for_run(run_id: int, slot: date | None) -> ColumnElement[bool]:
    """The messages that tell of a run, by their topics."""
    return or_(OutboxMessage.topic.startswith(f"run-{run_id}-"), OutboxMessage.topic == f"digest-{slot}")


def import_failed(connection: Connection, import_id: int, now: datetime) -> None:
    """An import has failed, as its row says."""
    with _without_harm(connection, "import", import_id):
        entry = _as_stored(connection, Import, import_id)
        place = Place(ZoneInfo("UTC"), public_url())
        _problem(connection, f"import-{import_id}-failed", texts.failed_import(entry, place), now)


def feed_late(connection: Connection, name: str, since: datetime, hours: int, now: datetime) -> None:
    """A feed has brought nothing since then, though something is expected every so many hours."""
    with _without_harm(connection, "feed", 0):
        place = Place(ZoneInfo("UTC"), public_url())
        topic = f"feed-{name.lower()}-{int(since.timestamp())}"
        _problem(connection, topic, texts.late_feed(name, since, hours, place), now)


def second_factor_reset(connection: Connection, username: str, who: str | None, now: datetime) -> None:
    """An administrator has taken somebody's second factor away."""
    with _without_harm(connection, "second-factor", 0):
        place = Place(ZoneInfo("UTC"), public_url())
        text = texts.second_factor_reset(username, who or "System", now, place)
        _problem(connection, f"second-factor-{int(now.timestamp())}-{username}"[:100], text, now)


def run_overdue(slot: date, now: datetime) -> None:
    """The daily run of a date did not happen; whoever says so first is heard."""
    schedule = settings_service.current().settings.schedule
    place = Place(schedule.zone, public_url())
    with write() as session:
        text = texts.overdue(slot, due_at(schedule, slot), place)
        _problem(session.connection(), f"overdue-{slot}", text, now)


def token_ends(connection: Connection, token: ApiToken, days: int, now: datetime) -> None:
    """A token ends within so many days."""
    place = Place(ZoneInfo("UTC"), public_url())
    _problem(connection, f"token-{token.id}-{days}", texts.ending_token(token, now, place), now)


@contextmanager
def _without_harm(connection: Connection, event: str, of: int) -> Iterator[None]:
    # A fault of ours in telling of a run must not keep the run from ending. The database's own faults are
    # not for us to judge: they concern the run as well.
    try:
        with connection.begin_nested():
            yield
    except OperationalError:
        raise
    except Exception:
        log.exception(LogEvent("notification-failed", of=event, id=of))


def _as_stored(connection: Connection, model: type[Entity], key: int) -> Entity:
    # The session is over before anything is put: what it had begun is rolled back with it.
    with Session(connection) as session:
        return session.get_one(model, key)


def _problem(connection: Connection, topic: str, text: MessageText, now: datetime) -> None:
    put(connection, PROBLEMS, Message(topic, "problem", text.title, text.body), now)


def _digest(connection: Connection, run: Run, place: Place, now: datetime) -> None:
    if connection.scalar(select(exists().where(DIGESTS, Channel.active))):
        text = digest.after(connection, run, place)
        put(connection, DIGESTS, Message(f"digest-{run.slot}", "digest", text.title, text.body), now)


def _signal(connection: Connection, run_id: int, signal: str, now: datetime) -> None:
    said = f"run {run_id} {texts.SIGNALS[signal]}"
    put(connection, HEARTBEATS, Message(f"run-{run_id}-{signal}", signal, said, said, rid(run_id)), now)


def _place(connection: Connection, settings_version: int) -> Place:
    document = connection.execute(
        select(SettingsVersion.document).where(SettingsVersion.version == settings_version)
    ).scalar_one()
    settings, _ = read_stored(document)
    return Place(settings.schedule.zone, public_url())
