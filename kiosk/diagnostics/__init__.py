"""One list of checks behind the screen, the command line and the heartbeat."""
