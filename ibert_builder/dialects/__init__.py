"""The SQL dialects: how Ibis compiles to each, how sqlglot reads it, which functions it has.

Import what a dialect can do from here and compare no dialect's name anywhere else.
"""
