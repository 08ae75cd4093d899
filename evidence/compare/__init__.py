"""Two sealed archives of one plant, or more: whether they are parts of one history.

`member` reads what is compared of an archive, `pair` compares two of them, `told` says it to
people. Each archive's own signatures and figures are the verifier's work.
"""
