"""The tasks, a module or package each, and the contract they share (`base`).

Import `TASKS` from `registry` and `Task`, `Draft` and `Record` from `base`.
"""
