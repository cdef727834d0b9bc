"""The tables of a sample database in DuckDB."""

from __future__ import annotations

from typing import Any

import duckdb
import ibis
import pyarrow as pa

from ibert_builder.databases.model import Database, Table

NO_SPILL: dict[str, str | bool | int | float | list[str]] = {
    "temp_directory": "",  # otherwise `.tmp` in the working directory, or beside the file
}


def write_tables(connection: duckdb.DuckDBPyConnection, database: Database) -> None:
    """Create the tables of a database, with their rows, in the connection's current schema."""
    for table in database.tables.values():
        types = ibis.backends.sql.datatypes.DuckDBType
        columns = {
            name: types.from_ibis(column.dtype).sql("duckdb") for name, column in table.columns.items()
        }
        declared = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        connection.execute(f"CREATE TABLE {table.name} ({declared})")
        connection.register("_rows", _arrow(table))
        casts = ", ".join(f'CAST("{name}" AS {kind})' for name, kind in columns.items())
        connection.execute(f"INSERT INTO {table.name} SELECT {casts} FROM _rows")
        connection.unregister("_rows")


def _arrow(table: Table) -> pa.Table:
    columns = {}
    for name, column in table.columns.items():
        values = table.values[name]
        if column.type_class in ("uuid", "json", "interval", "time"):
            values = [None if value is None else _spelled(value) for value in values]
            columns[name] = pa.array(values, pa.string())
        elif column.type_class.startswith("map"):
            items = [None if value is None else list(value.items()) for value in values]
            columns[name] = pa.array(items, column.dtype.to_pyarrow())
        else:
            columns[name] = pa.array(values, column.dtype.to_pyarrow())
    return pa.table(columns)


def _spelled(value: Any) -> str:
    return f"{value.total_seconds():.0f} seconds" if hasattr(value, "total_seconds") else str(value)
