"""The content of the course: its text with the answers, what checks them, figures, and what chapters hand on."""
