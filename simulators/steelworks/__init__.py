"""A steelworks: coal and ore in, steel and stack gas out, balances closed in whole numbers.

Its gases pass from one shop to another, wet as they leave the scrubbers, through holders that fill.
"""
