"""What template code and answers may do, and for how long: an allow-list, guards that act while code runs, and limits.

Import `compile_code` and `builtins_for` from `compiling`, sets of rules from `policy`, `check_query` from `sql`, and the
limits from `limits`.
"""
