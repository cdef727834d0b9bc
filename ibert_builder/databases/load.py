"""Loading sample databases from `templates/_databases/*.yaml`: they are checked and filled with rows."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pyarrow as pa

from ibert_builder.databases.coherence.checks import violations
from ibert_builder.databases.coherence.repair import Contradiction
from ibert_builder.databases.duckdb_tables import NO_SPILL, write_tables
from ibert_builder.databases.located import Located
from ibert_builder.databases.meaning import make_table
from ibert_builder.databases.model import Database, Reference
from ibert_builder.databases.rows import make_rows
from ibert_builder.databases.semantic_form import check_semantics
from ibert_builder.databases.spec import DatabaseSpec
from ibert_builder.errors import InputError, unknown
from ibert_builder.yaml_source import Source, read_folder

RULES = ("semantic_model", "coherence")
# What values that do not fit the type of their column raise.
_MISFITS = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError)


def _references(source: Source, spec: DatabaseSpec) -> tuple[Reference, ...]:
    """The foreign keys.

    Raises:
        InputError: a key, a column's name, or what a column refers to is not as it should be.
    """
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
    return tuple(references)


def _build(source: Source, spec: DatabaseSpec, connection: duckdb.DuckDBPyConnection) -> Database:
    references = _references(source, spec)
    check_semantics(spec, Located(source, ("semantic_model",)))
    try:
        rows = make_rows(spec, connection)
    except Contradiction as error:
        raise source.error(str(error), (*RULES, error.index)) from error
    except _MISFITS as error:
        raise source.error(f"the rows cannot be made: {error}", ("tables",)) from error
    tables = {name: make_table(spec, name, rows[name]) for name in spec.tables}
    return Database(spec.name, spec.domain, spec.split, tables, references)


def _prove(source: Source, database: Database, connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables, so that an impossible name or value is reported with its place in the file."""
    try:
        write_tables(connection, database)
    except (duckdb.Error, pa.ArrowException, *_MISFITS) as error:
        raise source.error(f"the tables cannot be made: {error}", ("tables",)) from error


def _prove_rules(source: Source, spec: DatabaseSpec, connection: duckdb.DuckDBPyConnection) -> None:
    for broken in violations(connection, spec):
        example = ", ".join(f"{name}: {value}" for name, value in broken.example.items())
        found = f"{broken.rows} rows break the rule, such as ({example})"
        raise source.error(found, (*RULES, broken.index))


def load_databases(folder: Path, *, rules: bool = False) -> dict[str, Database]:
    """Read every database of a folder, by name.

    Table names are unique across databases, so that code always tells which database it is for, and no input text can
    occur in two splits.

    With `rules`, the rows are checked against the rules that they were made by. That is a second opinion, as making them
    reports rules that cannot hold, and takes half as long again.

    Raises:
        InputError: a file is not valid, a name is used twice, or a rule does not hold.
    """
    databases: dict[str, Database] = {}
    owner: dict[str, str] = {}
    connection = duckdb.connect(config={"threads": 1, **NO_SPILL})
    for source in read_folder(folder):
        spec = source.parse(DatabaseSpec)
        database = _build(source, spec, connection)
        if database.name in databases:
            raise source.error(f"there is another database named '{database.name}'", ("name",))
        for table in database.tables:
            if table in owner:
                raise source.error(
                    f"database '{owner[table]}' has a table of this name too", ("tables", table)
                )
            owner[table] = database.name
        _prove(source, database, connection)
        if rules:
            _prove_rules(source, spec, connection)
        databases[database.name] = database
    if not databases:
        raise InputError("no databases here (expected *.yaml files)", file=folder)
    return databases
