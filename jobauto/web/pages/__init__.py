"""Pages, one file each: they parse, call a service, and show what came of it."""
