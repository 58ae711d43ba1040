"""Work that a process holds only while it proves that it lives."""


class LeaseLost(Exception):
    """This process was silent for too long: another one has its work, and it may write nothing more."""
