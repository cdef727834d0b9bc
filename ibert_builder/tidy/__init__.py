"""SQL as a person would commit it, from the SQL that Ibis's compilers print.

Import `tidy` from `tidy`, and `write`, which prints any sqlglot tree the same way, from `print`.
"""
