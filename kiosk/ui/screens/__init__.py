"""One file per screen of a conversation."""
