"""The one failure of start: the store cannot be used, and nothing was changed."""


class StoreUnusable(Exception):
    """reason: a stable code such as `wrong_key`; what_to_do: for staff, in English, without personal data."""

    def __init__(self, reason: str, what_to_do: str) -> None:
        super().__init__(f"{reason}: {what_to_do}")
        self.reason = reason
        self.what_to_do = what_to_do
