"""Everything that is written for users: JSONL files, `dataset_infos/`, parts of the dataset card, sample databases; and
the checksums of the cache.

Import `build` from `jsonl`.
"""
