"""The content of the course: its text with the answers, what checks them, its live figures and its drawings."""
