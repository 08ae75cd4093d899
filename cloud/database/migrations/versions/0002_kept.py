"""Accounts, openings, alarms, shifts and months come into the database.

Before the first release its tables are those of the schema; a later step that changes one of them
writes them out here first.

Revision ID: 0002
"""

from alembic import op

from cloud.database.schema_kept import EVERY_TABLE

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables that are not there."""
    EVERY_TABLE.create_all(op.get_bind())
