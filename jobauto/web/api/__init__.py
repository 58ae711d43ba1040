"""The JSON API: endpoints onto the same services that pages and commands use."""

from . import dashboard, imports, jobs, profiles, readings, runs, settings, sites, spec

ENDPOINTS = (settings, runs, dashboard, jobs, sites, readings, imports, profiles, spec)
"""The modules of endpoints; each has its blueprint ``bp``."""
