"""Identity-card reader: SAM_V module on a serial line."""
