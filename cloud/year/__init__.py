"""A plant's year from its sealed months: statement, position, other frameworks, packages, export.

Everything starts from archives alone, as `cloud.outputs` does, and stands on it: tables are pure,
archives are read in `sealed_year`; `package` and `platform` write.
"""
