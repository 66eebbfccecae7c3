"""Composition of the terminal: builds the rooms, wires them, owns start and stop order."""
