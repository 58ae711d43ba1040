"""Style sheets, scripts and pictures under addresses with a hash of their content, which browsers keep.

1. Each address that ``url_for`` makes of a file ends with ``?v=`` and its version.
2. Asked for under its own version, a file may be kept for a year: with other content it has another address.
3. Asked for otherwise, it is kept too, but a browser asks each time whether it is still the same.
"""

from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, request
from werkzeug.security import safe_join

ENDPOINTS = frozenset({"static", "bootstrap.static"})
KEPT_FOR_A_YEAR = "public, max-age=31536000, immutable"


def init_app(app: Flask) -> None:
    """Put versions into addresses, and say how long files may be kept."""
    app.url_defaults(_add_version)
    app.after_request(_let_caches_keep)


def version_of(file: Path) -> str:
    """16 hexadecimal digits that are others when the content is another. Raises OSError."""
    found = file.stat()
    return _hash(file, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=256)
def _hash(file: Path, _changed: int, _size: int) -> str:
    return sha256(file.read_bytes()).hexdigest()[:16]


def _version(endpoint: str, filename: str) -> str | None:
    """The version of the file that an endpoint serves under a name, ``None`` where there is none."""
    owner = current_app.blueprints.get(endpoint.rpartition(".")[0], current_app)
    path = safe_join(str(owner.static_folder), filename)
    try:
        return version_of(Path(path)) if path else None
    except OSError:
        return None


def _add_version(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint in ENDPOINTS and (version := _version(endpoint, values["filename"])):
        values.setdefault("v", version)


def _let_caches_keep(response: Response) -> Response:
    asked = request.args.get("v")
    served = request.endpoint in ENDPOINTS and response.status_code in (200, 304)
    if asked and served and asked == _version(str(request.endpoint), (request.view_args or {})["filename"]):
        response.headers["Cache-Control"] = KEPT_FOR_A_YEAR
    return response
