"""Alembic's entry: `cloud.database.version` hands over the connection, its transaction is ours."""

from alembic import context

from cloud.database.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
)
context.run_migrations()
