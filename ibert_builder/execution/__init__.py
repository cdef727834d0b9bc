"""Running SQL and Ibis code on sample rows, and the steps of proofs.

Import `engine_for` from `engine`, `difference` from `results`, `run_query` and `Rejected` from `proofs`; `sqlite` and
`scratch` run what needs another engine or a folder of its own.
"""
