"""A server that forks, and lets go of the database before its child has saved a site."""

import os

from sqlalchemy import select

from jobauto.extensions import db
from jobauto.models import Site
from jobauto.wsgi import app
from tests.fleets import add_site


def look() -> None:
    db.session.scalars(select(Site)).all()
    db.session.rollback()


def main() -> None:
    child_hears, to_child = os.pipe()
    hears_child, to_parent = os.pipe()
    with app.app_context():
        look()
        if os.fork() == 0:
            look()
            os.write(to_parent, b".")
            os.read(child_hears, 1)
            add_site("S1")
            os._exit(0)
        os.read(hears_child, 1)
        db.session.remove()
        db.engine.dispose()
        os.write(to_child, b".")
        os.wait()
    os._exit(0)


if __name__ == "__main__":
    main()
