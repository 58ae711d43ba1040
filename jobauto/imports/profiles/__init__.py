"""Files of feeds as they are: a profile says how to read them, and they become the program's own rows."""
