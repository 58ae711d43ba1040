"""``python -m tests.bench``: measure everything, and print the table."""

import json
import logging
import os
import platform
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter

from tests.bench import committing, judging, pages
from tests.bench.engines import Engine, engines
from tests.bench.sizes import DEFAULT, Sizes
from tests.bench.table import Measured, markdown

THEMES: dict[str, Callable[[Engine, Sizes], Iterator[Measured]]] = {
    "committing": committing.lines,
    "judging": judging.lines,
    "pages": pages.lines,
}


def main() -> int:
    """Measure what is asked for; 1 where a target is not reached."""
    asked = _asked()
    began = perf_counter()
    with tempfile.TemporaryDirectory(prefix="jobauto-bench-") as folder:
        os.environ["JOBAUTO_INSTANCE_PATH"] = folder
        logging.disable()
        with engines(Path(folder)) as both:
            chosen = [engine for engine in both if asked.engine in ("", engine.name.lower())]
            settings = [engine.settings() for engine in chosen]
            measured = list(_measure(asked.theme, chosen, Sizes(asked.sites)))
    if asked.json:
        lines = {"machine": _machine(), "engines": settings, "sites": asked.sites}
        print(json.dumps(lines | {"lines": [one.as_json() for one in measured]}, indent=1))
    else:
        print("\n".join([f"Machine: {_machine()}", *settings, "", *markdown(measured)]))
        print(f"\n{perf_counter() - began:.0f} seconds in all.")
    return 0 if all(one.reached for one in measured) else 1


def _measure(themes: Sequence[str], chosen: Sequence[Engine], sizes: Sizes) -> Iterator[Measured]:
    for theme in themes:
        for engine in chosen:
            for one in THEMES[theme](engine, sizes):
                print(f"{one.line.name}, {engine.name}: {one.ratio:.2f}", file=sys.stderr, flush=True)
                yield one


def _asked() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--sites", type=int, default=int(os.environ.get("SITES") or DEFAULT))
    parser.add_argument("--json", action="store_true", help="for another program")
    parser.add_argument("--engine", choices=["sqlite", "postgresql"], default="")
    parser.add_argument("theme", nargs="*", default=list(THEMES), metavar="THEME", help=", ".join(THEMES))
    return parser.parse_args()


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main())
