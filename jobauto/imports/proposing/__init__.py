"""From a file to a proposal of a profile: what it seems to be, with the reasons, and what must be asked."""
