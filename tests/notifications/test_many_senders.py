"""Many processes send each message once; one that is killed while it sends loses none."""

import signal
import sys
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, run
from jobauto.extensions import db
from jobauto.models import OutboxMessage
from jobauto.notifications.sending import process_pending
from jobauto.runs import lifecycle
from tests.notifications.receivers import Web
from tests.notifications.telling import add_heartbeat, add_message, messages, put_message
from tests.processes import BIN, await_until, environment, gunicorn, started

pytestmark = pytest.mark.process

SENDER = [sys.executable, "-m", "tests.notifications.sender"]
MESSAGES, SENDERS = 12, 3


def all_sent() -> bool:
    return {message.status for message in messages()} == {"sent"}


def test_processes_that_send_at_once_send_each_message_once(
    app: Flask, database_uri: str, tmp_path: Path, web: Web
) -> None:
    channel_id = add_message(web.json_url())
    for number in range(MESSAGES):
        put_message(channel_id, topic=f"topic-{number}", now=utcnow())
    env = environment(database_uri, tmp_path)
    with ExitStack() as stack:
        senders = [stack.enter_context(started(SENDER, env)) for _ in range(SENDERS)]
        for sender in senders:
            sender.await_line("ready")
        for sender in senders:
            sender.say()
        counts = [int(sender.await_line("sent ([0-9]+)")[1]) for sender in senders]
    assert sum(counts) == MESSAGES
    assert len(web.requests) == MESSAGES
    assert all_sent()
    assert {message.attempts for message in messages()} == {1}


def test_what_a_killed_process_was_sending_is_sent_by_another(
    app: Flask, database_uri: str, tmp_path: Path, web: Web
) -> None:
    put_message(add_message(web.json_url()), now=utcnow())
    web.holds.set()
    with started(SENDER, environment(database_uri, tmp_path)) as victim:
        victim.await_line("ready")
        victim.say()
        await_until(lambda: web.requests, "the message arrives")
        victim.signal(signal.SIGKILL)
        victim.end()
    web.holds.clear()
    web.released.set()
    assert process_pending() == 0, "the dead process's lease still holds"
    assert messages()[0].status == "waiting"

    db.session.execute(update(OutboxMessage).values(leased_until=utcnow() - timedelta(seconds=1)))
    db.session.commit()

    assert process_pending() == 1
    assert [(message.status, message.attempts) for message in messages()] == [("sent", 2)]


def test_a_process_that_lost_its_lease_does_not_settle_the_message_of_the_next(
    app: Flask, database_uri: str, tmp_path: Path, web: Web
) -> None:
    put_message(add_message(web.json_url()), now=utcnow())
    web.holds.set()
    with started(SENDER, environment(database_uri, tmp_path)) as slow:
        slow.await_line("ready")
        slow.say()
        await_until(lambda: web.requests, "the message arrives")
        db.session.execute(
            update(OutboxMessage).values(
                attempts=OutboxMessage.attempts + 1, leased_until=utcnow() + timedelta(1)
            )
        )
        db.session.commit()
        web.released.set()
        slow.await_line("sent 1")
    assert messages()[0].status == "waiting", "that is for the one who holds it now to say"


@pytest.mark.any_engine
def test_what_waits_outlives_a_restart_and_a_server_that_ticks_sends_it(
    app: Flask, database_uri: str, tmp_path: Path, web: Web
) -> None:
    add_heartbeat(f"{web.address}/watch")
    add_message(web.json_url("problems"))
    with db.engine.connect() as connection:
        lifecycle.finish(
            connection,
            lifecycle.start(connection, lifecycle.Claim("cli", None, utcnow(), utcnow(), 1)),
            "failed",
            utcnow(),
        )
    db.session.remove()
    often = environment(database_uri, tmp_path, JOBAUTO_TICK_SECONDS="1")
    # A worker that is about to start misses the signal, and gunicorn waits for it.
    soon = ("--graceful-timeout", "2")
    with gunicorn(often, "--workers", "2", "--preload", *soon) as (server, _):
        await_until(lambda: len(web.requests) == 3, "all is sent")
        await_until(all_sent, "and settled")
        server.signal(signal.SIGTERM)
        assert server.end() == 0
    assert sorted(web.paths) == ["/problems", "/watch/fail", "/watch/start"]
    assert "token" not in server.output
    assert "Traceback" not in server.output


@pytest.mark.any_engine
def test_the_command_for_cron_sends(app: Flask, database_uri: str, tmp_path: Path, web: Web) -> None:
    add_heartbeat(web.address)
    run(RunParameters("cli"), utcnow)
    command = [str(BIN / "jobauto"), "send-notifications"]
    with started(command, environment(database_uri, tmp_path)) as process:
        assert process.end() == 0
    assert process.output.splitlines()[-1] == "Sent 2 messages"


@pytest.mark.any_engine
def test_where_cron_runs_the_check_the_check_sends(
    app: Flask, database_uri: str, tmp_path: Path, web: Web
) -> None:
    add_heartbeat(web.address)
    command = [str(BIN / "jobauto"), "run-daily-job-automation", "--scheduled"]
    with started(command, environment(database_uri, tmp_path)) as process:
        assert process.end() == 0
    assert web.paths == ["/start", "/"]
