"""Sample databases: what their YAML says (`spec`), what they are (`model`), how rows and row sets are made, and their tables in DuckDB.

Import `load_databases` from `load`, the dataclasses from `model`, `row_set` from `row_sets` and `write_tables` from `duckdb_tables`.
"""
