"""Alembic's entry: `cloud.database.version` hands over the connection, its transaction is ours."""

from alembic import context

from cloud.database.schema_kept import EVERY_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=EVERY_TABLE,
    transactional_ddl=False,
)
context.run_migrations()
