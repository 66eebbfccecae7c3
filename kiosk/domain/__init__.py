"""What is true without a machine: no I/O, no Qt, no SQL, no clock of its own."""
