"""The supervisor's report: what became of jobs and sites in a time. It reads, and never writes."""
