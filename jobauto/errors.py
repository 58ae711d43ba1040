"""What a caller did wrong, told by services and shown by pages, API and commands."""


class InvalidInput(Exception):
    """The caller sent something that cannot be taken: which fields, and why. Nothing was changed."""

    def __init__(self, message: str, fields: dict[str, list[str]] | None = None, status: int = 422) -> None:
        super().__init__(message)
        self.fields = fields or {}
        self.status = status
