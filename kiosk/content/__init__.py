"""The content package: files the office publishes for its terminals, and the few settings they may change."""
