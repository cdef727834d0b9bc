"""What is certain about a query from its text and the keys of its tables alone.

Import `Query` from `query`, what is never NULL from `nulls`, what never repeats from `uniqueness`, and the parts of a
syntax tree from `structure`. Every answer errs on the side of no.
"""
