"""Site files by order: the plant's root gives a gateway another site file over the broker.

`state` says what an order may become, `rules` what none may change, `folder` keeps both on disk,
`trial` watches a new file until it has come healthy. The agent knows nothing of it.
"""
