"""Templates in, proved records out: the catalog of everything in a templates folder, the splits, and the generator itself.

Import `load_catalog` from `catalog`, and `generate`, `shards`, `Options` and `Tally` from `generate`.
"""
