"""Rebuild the dataset and check every claim in its card: proofs, mutants of queries, splits, duplicates.

Import `audit` from `audit`.
"""
