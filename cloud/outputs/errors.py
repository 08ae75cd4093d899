"""What can go wrong when papers are made of a month; all of them are told in one sentence."""

from cloud.errors import CloudError


class OutputError(CloudError):
    """An archive, a layout or an export cannot be used, or a paper cannot be made or written."""
