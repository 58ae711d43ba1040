"""The command that hands the files that browsers need to the web server in front."""

import shutil
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from flask_bootstrap import Bootstrap5

from ..web.static_files import version_of

READABLE_FOLDER = 0o755
READABLE_FILE = 0o644
VERSIONS = "versions"
"""Its folder has an empty file for each version that is there: nginx lets those be kept for a year."""


@click.command("static-files")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@with_appcontext
def static_files(folder: Path) -> None:
    """Copy style sheets, scripts and pictures into FOLDER, each under its address, for nginx to serve.

    Readable by all. Call it after each upgrade; it may be called while nginx serves them.
    """
    try:
        copied = _copy_all(folder)
    except OSError as error:
        raise click.ClickException(f"The files were not copied: {error}") from error
    click.echo(f"Copied {copied} files to {folder}")


def _copy_all(folder: Path) -> int:
    copied = 0
    versions = folder / VERSIONS
    shutil.rmtree(versions, ignore_errors=True)  # first: nothing is kept long that is about to be replaced
    versions.mkdir(parents=True)
    for address, source in _sources(current_app._get_current_object()):  # type: ignore[attr-defined]
        for file in sorted(path for path in source.rglob("*") if path.is_file()):
            target = folder / address / file.relative_to(source)
            _copy(file, target)
            marker = versions / version_of(target)
            marker.touch()
            marker.chmod(READABLE_FILE)
            copied += 1
    for path in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        path.chmod(READABLE_FOLDER)
    return copied


def _sources(app: Flask) -> list[tuple[str, Path]]:
    """Each address under which files are served, without its first slash, and the folder they are in."""
    bare = Flask("static-files", static_folder=app.static_folder)  # without pages, which need no file here
    Bootstrap5(bare)
    return [
        (str(part.static_url_path).strip("/"), Path(part.static_folder))
        for part in (bare, *bare.blueprints.values())
        if part.static_folder
    ]


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.new")  # who reads meanwhile sees one or the other
    shutil.copy2(source, draft)
    draft.chmod(READABLE_FILE)
    draft.replace(target)
