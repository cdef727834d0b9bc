"""Whether train holds pieces of other files, such as a benchmark.

Import `compare` from `compare`.
"""
