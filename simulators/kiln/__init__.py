"""A cement kiln line: raw meal in, clinker and stack gas out, balances closed in whole numbers."""
