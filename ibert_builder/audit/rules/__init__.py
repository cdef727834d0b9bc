"""Rules of equivalence: each takes a query and a mutant of it and proves that no data can tell them apart.

Import the table of them from `audit.equivalence`.
"""
