"""CRT-310: motor card reader on a serial line."""
