"""The tables of a sample database in DuckDB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import ibis.expr.datatypes as dt
import pyarrow as pa
from ibis.backends.sql.datatypes import DuckDBType

from ibert_builder.databases.model import Database

NO_SPILL: dict[str, str | bool | int | float | list[str]] = {
    "temp_directory": "",  # otherwise `.tmp` in the working directory, or beside the file
}


def write_tables(connection: duckdb.DuckDBPyConnection, database: Database) -> None:
    """Create the tables of a database, with their rows, in the connection's current schema."""
    for table in database.tables.values():
        dtypes = {name: column.dtype for name, column in table.columns.items()}
        write_table(connection, table.name, dtypes, table.values)


def write_table(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    dtypes: Mapping[str, dt.DataType],
    values: Mapping[str, list[Any]],
) -> None:
    """Create one table in the connection's current schema, or replace it, with the values of each column in row order."""
    kinds = {name: DuckDBType.from_ibis(dtype).sql("duckdb") for name, dtype in dtypes.items()}
    declared = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
    connection.execute(f"CREATE OR REPLACE TABLE {table} ({declared})")
    connection.register("_rows", pa.table({name: _arrow(dtypes[name], values[name]) for name in dtypes}))
    casts = ", ".join(f'CAST("{name}" AS {kind})' for name, kind in kinds.items())
    connection.execute(f"INSERT INTO {table} SELECT {casts} FROM _rows")
    connection.unregister("_rows")


def _arrow(dtype: dt.DataType, values: list[Any]) -> pa.Array:
    if dtype.is_uuid() or dtype.is_json() or dtype.is_interval() or dtype.is_time():
        return pa.array([None if value is None else _spelled(value) for value in values], pa.string())
    if dtype.is_map():
        items = [None if value is None else list(value.items()) for value in values]
        return pa.array(items, dtype.to_pyarrow())
    return pa.array(values, dtype.to_pyarrow())


def _spelled(value: Any) -> str:
    return f"{value.total_seconds():.0f} seconds" if hasattr(value, "total_seconds") else str(value)
