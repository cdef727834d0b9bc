"""The tables of a sample database in DuckDB."""

from __future__ import annotations

import functools
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
    declared = ", ".join(f'"{name}" {_type(dtype)}' for name, dtype in dtypes.items())
    connection.execute(f"CREATE OR REPLACE TABLE {table} ({declared})")
    connection.register("_rows", arrow_table(dtypes, values))
    connection.execute(f"INSERT INTO {table} SELECT {typed_columns(dtypes)} FROM _rows")
    connection.unregister("_rows")


def arrow_table(dtypes: Mapping[str, dt.DataType], values: Mapping[str, list[Any]]) -> pa.Table:
    """The values of columns for DuckDB to read; `typed_columns` selects them with their types."""
    return pa.table({name: _arrow(dtype, values[name]) for name, dtype in dtypes.items()})


def typed_columns(dtypes: Mapping[str, dt.DataType]) -> str:
    """The SQL of columns of an `arrow_table`, of which some types have come as text."""
    return ", ".join(f'CAST("{name}" AS {_type(dtype)}) AS "{name}"' for name, dtype in dtypes.items())


@functools.lru_cache(maxsize=256)
def _type(dtype: dt.DataType) -> str:
    return str(DuckDBType.from_ibis(dtype).sql("duckdb"))


def _arrow(dtype: dt.DataType, values: list[Any]) -> pa.Array:
    if dtype.is_uuid() or dtype.is_json() or dtype.is_interval() or dtype.is_time():
        return pa.array([None if value is None else _spelled(value) for value in values], pa.string())
    if dtype.is_map():
        items = [None if value is None else list(value.items()) for value in values]
        return pa.array(items, dtype.to_pyarrow())
    return pa.array(values, dtype.to_pyarrow())


def _spelled(value: Any) -> str:
    return f"{value.total_seconds():.0f} seconds" if hasattr(value, "total_seconds") else str(value)
