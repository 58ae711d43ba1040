"""How gunicorn serves jobauto behind nginx: gunicorn --config gunicorn.conf.py"""

import time
from contextlib import suppress
from typing import Any

wsgi_app = "jobauto.wsgi:app"

# On this machine only: nginx is the one that the world talks to.
bind = "127.0.0.1:8000"

# Two processes, so that one goes on while the other is busy or renewed, with threads, as a request mostly
# waits for the database. Each thread may hold a connection, and a run or an import two more, so 24 a worker,
# and what goes on in the background some ten: PostgreSQL's 100 are enough for two at their worst. More than
# two a processor are no gain.
workers = 2
worker_class = "gthread"
threads = 8

# nginx keeps no connections to us, so we need not either.
keepalive = 0

# A worker whose main thread does not move for a minute is replaced. Its requests may take longer.
timeout = 60

# At a stop or reload, requests under way get this long: a run by hand may take a minute.
graceful_timeout = 100

# No max_requests: a worker that is renewed by count would take down the import that a thread of it works on.
# Nor is it needed: 2,000 pages and answers left a process as large as it was.

# Nobody's forwarding headers count here; JOBAUTO_PROXY_HOPS alone says how many are believed.
forwarded_allow_ips = ""

control_socket_disable = True  # one for all instances of a user, and nobody needs it
worker_tmp_dir = "/dev/shm"  # noqa: S108 (proofs of life belong in memory: a disk may be slow)
errorlog = "-"
accesslog = None  # nginx writes one


def post_request(_worker: Any, _request: Any, environ: dict[str, Any], _response: Any) -> None:
    """Take the rest of a body that was refused unread: nginx has it whole, so it comes at once.

    Were the connection closed, nginx, which still sends it, would lose the answer and say 502.
    """
    if body := environ.get("wsgi.input"):
        environ["gunicorn.socket"].settimeout(5)  # of silence
        end = time.monotonic() + 5  # of a body that goes on and on
        with suppress(OSError):
            while body.read(65536) and time.monotonic() < end:
                pass
