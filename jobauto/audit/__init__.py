"""Who changed what: written with each change, searched by admins."""
