"""The terminal's own encrypted database: cases, outbox, roster, print journal, audit chain."""
