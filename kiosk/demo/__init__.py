"""The terminal with emulated devices and an embedded office, for a look, for work on a desk, for tests."""
