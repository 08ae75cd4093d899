"""What accounts refuse. The sentences stand in the page's strings, under "account.error.<key>"."""


class AccountError(Exception):
    """Something is refused.

    Args:
        key: of the sentence.
        status: HTTP status that fits.
        values: what the sentence names; never a secret.
    """

    def __init__(self, key: str, status: int = 422, **values: str) -> None:
        super().__init__(key)
        self.key, self.status, self.values = key, status, values
