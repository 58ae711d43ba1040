"""JSON doors onto the same services that pages and commands use."""
