"""Which readings are to be believed: pure, below everything that stores or shows it.

Instants are whole microseconds since 1970 and registers whole watt-hours, so that every machine and
database comes to the same answer to the last digit.
"""
