"""The public API of the installed Ibis, and whether what a text says about it is true.

Import `Claim` from `claims` and `check_names` from `mentions`.
"""
