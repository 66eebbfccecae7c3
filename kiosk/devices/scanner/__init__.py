"""Code scanner: lines of text on a serial port (USB-COM or RS-232)."""
