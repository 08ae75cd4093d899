"""All that the cloud keeps, in one relational database: SQLite here, PostgreSQL beyond."""
