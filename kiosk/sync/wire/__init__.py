"""The wire format terminal and office share. Imports nothing else of ours but `domain`."""
