"""The checks that tell a living person from a picture of one. Each has a module of its own; docs/face.md says what it stops."""
