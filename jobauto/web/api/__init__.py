"""The JSON API: endpoints onto the same services that pages and commands use."""

from . import dashboard, imports, jobs, policies, readings, runs, settings, sites, spec

ENDPOINTS = (settings, policies, runs, dashboard, jobs, sites, readings, imports, spec)
"""The modules of endpoints; each has its blueprint ``bp``."""

for _module in ENDPOINTS:
    _module.bp.before_request(spec.refuse_unknown_parameters)
