"""The town office (镇社保所): takes cases in, lets staff review them, tells terminals who is due."""

DATA_VARIABLE = "KIOSK_OFFICE_DATA"
"""Environment variable that names the data directory."""
