"""Supervised device services: per kind a pure codec, a driver on top, and under `emulated/` the far end of the wire."""
