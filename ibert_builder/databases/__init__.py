"""Sample databases: how YAML declares them (`spec`), what is loaded (`model`), how rows and row sets are made, and DuckDB tables.

Import `load_databases` from `load`, the dataclasses from `model`, `row_set` from `row_sets` and `write_tables` from `duckdb_tables`.
"""
