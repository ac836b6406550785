"""The course's fast ways against the plain ones. Run with ``python -m benchmarks``."""
