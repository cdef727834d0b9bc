"""What template code may do, and for how long: an allow-list over its syntax tree, bounded operators, time and memory limits.

Import `compile_code` from `check`, the sets of rules from `policy`, `builtins_for` from `arithmetic` and the limits from `limits`.
"""
