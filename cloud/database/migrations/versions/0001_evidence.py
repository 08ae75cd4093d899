"""The first version: a new database is made whole from `cloud.database.schema`.

Revision ID: 0001
"""

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Nothing: no database is older."""
