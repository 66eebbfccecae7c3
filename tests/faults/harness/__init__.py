"""A terminal, a line and an office as real processes, what is done to them, and the audit at the end."""
