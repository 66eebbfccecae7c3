"""Self-service pension certification terminal (生存认证自助一体机) and the town office behind it."""
