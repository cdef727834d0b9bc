"""Running SQL and Ibis code over sample rows, and what proofs are made of.

Import `engine_for` from `engine`, `difference` from `results`, `run_query` and `Rejected` from `proofs`; `sqlite` and `scratch` run
what needs another engine or a folder of its own.
"""
