"""The schema, forth and back, as ``jobauto db`` does it. Each needs an app context."""

import flask_migrate
from flask import current_app

from jobauto.storage.migrating import migrate


def upgrade(revision: str = "head") -> None:
    """To a newer revision."""
    migrate.init_app(current_app)
    flask_migrate.upgrade(revision=revision)


def downgrade(revision: str) -> None:
    """To an older one."""
    migrate.init_app(current_app)
    flask_migrate.downgrade(revision=revision)
