"""Delivery to the office and back, as its own process."""
