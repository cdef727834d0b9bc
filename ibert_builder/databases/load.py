"""Sample databases from `templates/_databases/*.yaml`, checked and filled with rows."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import ibis.expr.datatypes as dt
import pyarrow as pa

from ibert_builder.databases.model import Column, Database, Reference, Role, Table
from ibert_builder.databases.spec import ColumnSpec, DatabaseSpec, TableSpec
from ibert_builder.databases.type_classes import type_class
from ibert_builder.errors import InputError, unknown
from ibert_builder.yaml_source import Source, read_folder


def _role(name: str, spec: ColumnSpec, table: TableSpec) -> Role:
    if name == table.key:
        return "key"
    if spec.make.ref:
        return "reference"
    kind = type_class(dt.dtype(spec.type))
    if kind == "boolean":
        return "flag"
    few = spec.make.choice is not None and len(spec.make.choice) <= 12
    return "category" if few and kind in ("string", "integer") else "plain"


def _build(source: Source) -> Database:
    from ibert_builder.databases.rows import make_rows

    spec = source.parse(DatabaseSpec)
    references = []
    for table_name, table in spec.tables.items():
        at = ("tables", table_name)
        if table.key not in table.columns:
            raise source.error(unknown("column", table.key, table.columns), (*at, "key"))
        for name, column in table.columns.items():
            here = (*at, "columns", name)
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise source.error(f"expected a lower_case column name, found '{name}'", here)
            parent, after = column.make.ref, column.make.after
            if parent is not None:
                if parent not in spec.tables:
                    raise source.error(unknown("table", parent, spec.tables), (*here, "make", "ref"))
                references.append(Reference(table_name, name, parent, spec.tables[parent].key))
            if after is not None and after.column not in table.columns:
                raise source.error(
                    unknown("column", after.column, table.columns), (*here, "make", "after", "column")
                )
    try:
        rows = make_rows(spec)
    except (
        ValueError,
        TypeError,
        ArithmeticError,
        LookupError,
        AttributeError,
    ) as error:  # a make of another type
        raise source.error(f"the rows cannot be made: {error}", ("tables",)) from error
    tables = {
        table_name: Table(
            name=table_name,
            row=table.row,
            plural=table.plural or f"{table.row}s",
            key=table.key,
            columns={
                name: Column(
                    table=table_name,
                    name=name,
                    dtype=dt.dtype(column.type),
                    type_class=type_class(dt.dtype(column.type)),
                    role=_role(name, column, table),
                    label=column.label or name.replace("_", " "),
                    nullable=column.nulls > 0 or column.make.kind == "after",
                    make=column.make,
                )
                for name, column in table.columns.items()
            },
            rows=rows[table_name],
        )
        for table_name, table in spec.tables.items()
    }
    return Database(spec.name, spec.domain, spec.split, tables, tuple(references))


def _prove(source: Source, database: Database, connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables, so that a name or value that cannot be is found where it stands."""
    from ibert_builder.databases.duckdb_tables import write_tables

    try:
        write_tables(connection, database)
    except (duckdb.Error, pa.ArrowException, ValueError, TypeError, ArithmeticError, AttributeError) as error:
        raise source.error(f"the tables cannot be made: {error}", ("tables",)) from error


def load_databases(folder: Path) -> dict[str, Database]:
    """Read every database of a folder, by name.

    Table names are unique over all databases, so that no code can be taken for that of another database, and no
    input text can occur in two splits.

    Raises:
        InputError: a file is not as it should be, or a name is used twice.
    """
    databases: dict[str, Database] = {}
    owner: dict[str, str] = {}
    connection = duckdb.connect(config={"threads": 1})
    for source in read_folder(folder):
        database = _build(source)
        if database.name in databases:
            raise source.error(f"there is another database named '{database.name}'", ("name",))
        for table in database.tables:
            if table in owner:
                raise source.error(
                    f"database '{owner[table]}' has a table of this name too", ("tables", table)
                )
            owner[table] = database.name
        _prove(source, database, connection)
        databases[database.name] = database
    if not databases:
        raise InputError("no databases here (expected *.yaml files)", file=folder)
    return databases
