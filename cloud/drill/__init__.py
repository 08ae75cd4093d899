"""The drill of the running collector: from a month's lines down to one reading and its proof."""
