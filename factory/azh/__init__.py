"""The events of the search for A → Zh: its processes, what the detector makes of them, and their file."""
