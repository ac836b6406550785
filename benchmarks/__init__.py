"""The course's fast ways against the plain ones. Run with ``python -m benchmarks``."""

import labcourse  # noqa: F401  (before pandas: on a Mac, TensorFlow has to come before Arrow)
