"""The conversations. A flow is a plain object: events in, effects out; no Qt, no devices, no database."""
