"""Importing files on a page, and the history of imports."""

import logging
from contextlib import suppress
from functools import partial
from typing import BinaryIO, cast

from flask import Blueprint, Response, abort, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from ...clock import utcnow
from ...errors import InvalidInput
from ...extensions import db
from ...imports import background, canceling, decisions, history, made_sites, samples, undo, uploads
from ...imports.kinds import OtherKind, kind_of
from ...imports.lines import FileError
from ...imports.profiles import service as profiles
from ...imports.proposing.sample import sample_of
from ...imports.rejected_rows import encoding_of, rejected_rows, with_reasons
from ...logs import LogEvent
from ...models import Import
from ...work.importing import start_imports, start_undo
from ..access import current_author, needs
from ..file_turns import reads_a_file
from ..forms.choices import choices
from ..forms.imports import OWN_CSV, ImportForm
from ..import_progress import checks, progress_of
from ..lookup import get_or_404
from ..paging import asked_page, page_of, require_parameters

log = logging.getLogger("job_automation")
bp = Blueprint("imports", __name__, url_prefix="/import")


@bp.get("/")
def index() -> ResponseReturnValue:
    """The form, and what was imported before."""
    return _page(_form())


@bp.post("/")
@needs("operator")
@reads_a_file()
def submit() -> ResponseReturnValue:
    """Take a file; it is imported in the background, and the import's page tells how far it is."""
    form = _form()
    if not form.validate():
        return _page(form), 422
    author = current_author()
    try:
        profile = profiles.get(form.profile.data) if form.profile.data else None
        import_id = background.accept(
            _kind_of(form),
            form.file.data.filename or "",
            form.file.data.stream,
            dry_run=form.dry_run.data,
            author=author,
            ignore_columns=form.columns_to_ignore(),
            profile=profile,
        )
    except InvalidInput as error:
        form.profile.errors = [str(error)]
        return _page(form), 422
    except OtherKind as error:
        form.kind.errors = [str(error)]
        return _page(form), 422
    except FileError as error:
        form.file.errors = [str(error)]
        return _page(form, waiting=_kept_for_a_profile(form)), 422
    except OSError as error:
        log.error(LogEvent("upload-failed", error=error))  # noqa: TRY400 (a sentence; the program is not at fault)
        abort(503, f"The file could not be kept: {error.strerror}. Tell whoever looks after the server.")
    start_imports()
    return redirect(url_for(".show", import_id=import_id))


@bp.post("/kind")
@needs("operator")
@reads_a_file()
def kind() -> ResponseReturnValue:
    """What a file contains by its first lines, or which profile reads it, as JSON for the script of the form.

    Nothing is kept.
    """
    if "file" not in request.files:
        abort(400, "There is no file.")
    try:
        found = kind_of(request.files["file"].stream, request.form.get("kind", ""))
    except FileError as error:
        if name := _profile_that_reads(request.files["file"]):
            return jsonify(said=f"The profile {name} reads this file.", profile=name)
        return jsonify(said=str(error), profile="")
    return jsonify(said=f"By its header the file contains {found}.", profile="")


@bp.get("/<int:import_id>")
def show(import_id: int) -> ResponseReturnValue:
    """One import: how far it is, what came of it, which rows were rejected and why."""
    entry = get_or_404(Import, import_id, "import")
    now = utcnow()
    return render_template(
        "imports/show.html",
        entry=entry,
        can_mend=_can_mend(entry),
        has_all_rejects=_can_mend(entry) and uploads.has_all_rejects(uploads.kept(entry.kept_as)),
        has_profile=entry.profile is not None and profiles.find(entry.profile) is not None,
        can_decide=entry.decide_until is not None and decisions.has_file(entry),
        reasons=dict(entry.errors),
        may_be_undone=undo.may_undo(entry, now),
        made_sites=db.session.scalars(made_sites.made_for(import_id)).all(),
        is_too_old_to_undo=undo.is_too_old(entry, now),
        is_being_undone=undo.is_under_way(entry),
        may_cancel=canceling.may_cancel(entry),
        stored_more=canceling.may_have_stored_more(entry),
        is_being_canceled=canceling.is_being_canceled(entry),
        checks=checks(entry),
        parts=history.parts([entry.id]).get(entry.id),
        kept_until=entry.decide_until or (entry.finished_at and entry.finished_at + uploads.KEPT_FOR),
        progress=progress_of(entry, now),
    )


@bp.get("/<int:import_id>/progress")
def progress(import_id: int) -> ResponseReturnValue:
    """How far an import is, as JSON for the script of its page."""
    return jsonify(progress_of(get_or_404(Import, import_id, "import"), utcnow())._asdict())


@bp.post("/<int:import_id>")
@needs("operator")
def decide(import_id: int) -> ResponseReturnValue:
    """Import what was only looked at so far, or never."""
    get_or_404(Import, import_id, "import")
    try:
        if request.form.get("decision") == "import":
            decisions.import_it(import_id, current_author())
            start_imports()
        else:
            decisions.discard(import_id, current_author())
            flash("It is not imported.", "success")
    except decisions.AlreadyDecided as error:
        flash(str(error), "warning")
    return redirect(url_for(".show", import_id=import_id))


@bp.post("/<int:import_id>/cancel")
@needs("operator")
def cancel_submit(import_id: int) -> ResponseReturnValue:
    """Have an import end before its end."""
    try:
        canceling.cancel(import_id, current_author())
    except undo.UnknownImport as error:
        abort(404, str(error))
    except canceling.CannotCancel as error:
        flash(str(error), "warning")
    return redirect(url_for(".show", import_id=import_id))


@bp.post("/<int:import_id>/undo")
@needs("operator")
def undo_submit(import_id: int) -> ResponseReturnValue:
    """Take back what an import of readings did; it goes on in the background."""
    try:
        undo.claim(import_id, current_author())
        start_undo(import_id)
    except undo.UnknownImport as error:
        abort(404, str(error))
    except undo.CannotUndo as error:
        flash(str(error), "warning")
    return redirect(url_for(".show", import_id=import_id))


@bp.get("/<int:import_id>/rejected.csv")
@needs("operator")
def rejected(import_id: int) -> ResponseReturnValue:
    """The rejected rows as a file, to be fixed and imported again."""
    require_parameters()
    entry = get_or_404(Import, import_id, "import")
    if not _can_mend(entry):
        abort(404, "The file of this import is not kept any more, or no row was rejected.")
    path = uploads.kept(entry.kept_as)
    profile = profiles.of_version(entry.profile, entry.profile_version) if entry.profile else None
    return Response(
        with_reasons(path, profile) if profile else rejected_rows(path),
        content_type=f"text/csv; charset={encoding_of(profile)}",
        headers={"Content-Disposition": f"attachment; filename=rejected-{import_id}.csv"},
    )


def _can_mend(entry: Import) -> bool:
    path = uploads.kept(entry.kept_as)
    return (
        entry.status in ("finished", "waiting")
        and entry.rejected > 0
        and path.exists()
        and uploads.rejects(path).exists()
    )


def _kind_of(form: ImportForm) -> str:
    """What the file holds, as the person or its header says. Raises FileError."""
    if form.profile.data:
        return "readings"
    try:
        return kind_of(form.file.data.stream, form.kind.data)
    except OtherKind:
        raise
    except FileError:
        if form.kind.data:
            return str(form.kind.data)  # whoever reads the file tells what it lacks
        raise


def _profile_that_reads(file: FileStorage) -> str | None:
    try:
        sample = sample_of(cast("BinaryIO", file.stream), file.filename or "")
        return samples.profile_that_reads(sample, utcnow())
    except FileError:
        return None


def _kept_for_a_profile(form: ImportForm) -> Import | None:
    """A file that is none of ours waits until a profile is made for it, if one can be proposed."""
    if form.profile.data or form.kind.data == "sites":
        return None
    author = current_author()
    check = partial(samples.proposal_of, answers={}, now=author.now)
    file = form.file.data
    file.stream.seek(0)
    with suppress(FileError):
        kind_of(file.stream)
        return None
    try:
        import_id = samples.accept(file.filename or "", file.stream, author, check)
    except FileError:
        return None
    return db.session.get(Import, import_id)


def _form() -> ImportForm:
    form = ImportForm()
    names = db.session.scalars(profiles.names())
    form.profile.choices = choices([OWN_CSV, *((name, name) for name in names)])
    return form


def _page(form: ImportForm, *, waiting: Import | None = None) -> str:
    page = page_of(history.newest_first(), *asked_page())
    return render_template(
        "imports/index.html",
        form=form,
        waiting=waiting,
        page=page,
        parts=history.parts([entry.id for entry in page.items]),
        kept_days=uploads.KEPT_FOR.days,
    )
