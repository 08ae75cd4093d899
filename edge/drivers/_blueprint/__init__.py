"""A driver to copy: complete, tiny, and in no site's reach; docs/drivers.md says how."""
