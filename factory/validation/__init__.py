"""Are simulated samples like the real ones? Two-sample tests, and figures of what they compare."""
