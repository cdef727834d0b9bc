"""Everything that is written for users: JSONL files, `dataset_infos/`, parts of the dataset card, sample databases.

Import `build` from `jsonl`.
"""
