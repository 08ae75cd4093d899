"""The commands of the collector: a module for each group; these files alone may print."""
