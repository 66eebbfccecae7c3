"""PC/SC: any CCID reader behind pcscd, worked with from a process of its own."""
