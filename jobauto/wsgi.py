"""The application for a WSGI server: ``gunicorn jobauto.wsgi:app``."""

import gc
from importlib import import_module

from flask import Flask

gc.disable()  # until all is loaded: to look for garbage in what stays takes a quarter of the time
app: Flask = import_module("jobauto.app").create_app()
import_module("jobauto.work.scheduler").start_in_web_process(app)
gc.freeze()
gc.enable()
