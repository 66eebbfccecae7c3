"""Backups of the office that were opened again and checked, and the archive of what terminals handed in."""
