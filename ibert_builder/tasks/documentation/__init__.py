"""Function documentation: a function over Ibis tables, and its docstring in the style asked for.

Import `Documentation` from `task`.
"""
