"""Operators that make mistakes: each takes a node of a syntax tree and yields what may stand in its place.

Import them by family from `audit.mutants`.
"""
