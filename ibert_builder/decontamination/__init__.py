"""Find out whether train contains pieces of other files, such as a benchmark.

Import `compare` from `compare`.
"""
