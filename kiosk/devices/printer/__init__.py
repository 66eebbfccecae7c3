"""Receipt printer: ESC/POS on a serial line."""
