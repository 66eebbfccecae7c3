"""The officers' pages, in Chinese: queue and decision, roster, terminals, records."""
