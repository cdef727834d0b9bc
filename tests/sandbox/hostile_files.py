"""What code that reads, writes and connects could do through names of files and SQL: kind, message expected, snippets."""

from __future__ import annotations

_OUTSIDE = "chr(47) || 'tmp' || chr(47) || 'x'"  # a path that a check for slashes does not see


def _sql(*texts: str) -> list[str]:
    return [f'con = ibis.get_backend()\ncon.sql("""{text} """)' for text in texts]


def _functions(form: str, names: str) -> list[str]:
    return _sql(*(form.format(name) for name in names.split()))


_ONE_SELECT = r"one SELECT|plain name|does not parse|not allowed|'sql' takes (one text|plain values)"
_FUNCTION = r"SQL function '\w+' is not allowed"

FILE_CODE: list[tuple[str, str, list[str]]] = [
    (
        "several statements",
        _ONE_SELECT,
        [
            *_sql(
                f"SELECT 1; COPY orders TO ({_OUTSIDE}); DESCRIBE SELECT 1",
                f"SELECT 1; SET VARIABLE p = {_OUTSIDE}; DESCRIBE SELECT 1",
                "SELECT 1; SELECT 2",
                "SELECT 1;; SELECT 2",
                "SELECT 1; DROP TABLE orders",
                "DESCRIBE SELECT 1; DROP TABLE orders; SELECT 1",
                "SELECT 1 -- ; \n; DROP TABLE orders",
                "",
                ";",
            ),
            "con = ibis.get_backend()\ncon.sql('SELECT 1', dialect='mysql')",
            "con = ibis.get_backend()\ncon.sql('SELECT 1', schema={'a': 'int64'})",
            "con = ibis.get_backend()\ncon.sql(*['SELECT 1'])",
            "x = 'SELECT 1'\ncon = ibis.get_backend()\ncon.sql(x)",
            "orders.alias('o').sql('SELECT 1; DROP TABLE o')",
            "orders.alias('o').sql('DROP TABLE o')",
            "orders.alias('o').sql('SELECT 1 FROM o', dialect='mysql')",
        ],
    ),
    (
        "other statements",
        _ONE_SELECT,
        _sql(
            f"COPY orders TO ({_OUTSIDE})",
            "COPY orders FROM 'x.csv'",
            "EXPORT DATABASE 'x'",
            "IMPORT DATABASE 'x'",
            "INSTALL httpfs",
            "FORCE INSTALL httpfs FROM community",
            "LOAD httpfs",
            "ATTACH 'x.duckdb' AS x",
            "ATTACH 'md:x'",
            "DETACH memory",
            f"SET VARIABLE p = {_OUTSIDE}",
            "SET threads = 8",
            "RESET threads",
            "PRAGMA enable_profiling",
            "CALL enable_logging()",
            "CREATE MACRO f(x) AS x",
            "CREATE SECRET x (TYPE s3)",
            "CREATE TABLE x AS SELECT 1",
            "DROP TABLE orders",
            "INSERT INTO orders SELECT * FROM orders",
            "UPDATE orders SET status = 'x'",
            "DELETE FROM orders",
            "EXPLAIN SELECT 1",
            "DESCRIBE orders",
            "SHOW TABLES",
            "SUMMARIZE orders",
            "PIVOT orders ON status USING COUNT(*)",
            "VACUUM",
            "CHECKPOINT",
            "USE memory",
            "BEGIN",
            "PREPARE x AS SELECT 1",
            "EXECUTE x",
            "COMMENT ON TABLE orders IS 'x'",
        ),
    ),
    (
        "functions that read",
        _FUNCTION,
        [
            *_functions(
                "SELECT * FROM {}('x')",
                "read_csv read_csv_auto read_json read_json_auto read_json_objects read_ndjson read_parquet parquet_scan"
                " read_text read_blob glob sniff_csv parquet_metadata parquet_schema parquet_file_metadata query"
                " query_table which_secret json_execute_serialized_sql seq_scan arrow_scan pandas_scan",
            ),
            *_functions(
                "SELECT * FROM {}()",
                "duckdb_settings duckdb_secrets duckdb_databases duckdb_logs duckdb_extensions duckdb_variables"
                " enable_logging disable_logging truncate_duckdb_logs pragma_user_agent pragma_version checkpoint"
                " force_checkpoint python_map_function test_all_types duckdb_temporary_files",
            ),
            *_functions("SELECT {}('x')", "getvariable current_setting nextval currval error getenv setseed"),
            *_sql(
                f"SELECT * FROM read_text({_OUTSIDE})",
                "WITH x AS (SELECT * FROM read_text('x')) SELECT * FROM x",
                "SELECT 1 WHERE EXISTS (SELECT * FROM read_text('x'))",
                "SELECT (SELECT content FROM read_text('x'))",
                "SELECT 1 UNION ALL SELECT 1 FROM read_text('x')",
                "SELECT * FROM orders, LATERAL (SELECT * FROM read_text('x')) t",
                "SELECT * FROM orders ORDER BY (SELECT 1 FROM read_text('x'))",
                "SELECT * FROM orders JOIN read_text('x') t ON true",
                "SELECT * FROM READ_TEXT ('x')",
                "SELECT write_log('x', level := 'error')",
                "FROM read_text('x')",
                "SELECT 1 LIMIT (SELECT COUNT(*) FROM glob('x'))",
            ),
        ],
    ),
    (
        "tables that are files",
        r"from tables by their names|plain name|does not parse|one SELECT",
        _sql(
            "SELECT * FROM 'x.csv'",
            "SELECT * FROM 'x.parquet'",
            "SELECT * FROM 'x*.json'",
            "FROM 'x.csv'",
            "SELECT * FROM 'md:x'",
            "SELECT * FROM 's3:x'",
            "SELECT * FROM memory.main.orders",
            "SELECT * FROM main.orders",
            "SELECT * FROM information_schema.tables",
            "SELECT * FROM x.orders",
            "WITH x AS (FROM 'x.csv') FROM x",
            "SELECT (SELECT 1 FROM 'x.csv')",
            "SELECT * FROM (DESCRIBE SELECT 1)",
            "SELECT * FROM (SHOW TABLES)",
            "SELECT * FROM (SUMMARIZE orders)",
            "SELECT * FROM 'https:x.csv'",
        ),
    ),
    (
        "functions that crash DuckDB or take hours",
        r"not allowed|too long a value",
        _sql(
            "SELECT json_structure(repeat('[', 1000))",
            "SELECT json_contains('[]', '[]')",
            "SELECT damerau_levenshtein('a', 'b')",
            "SELECT '1'::BIGNUM",
            "SELECT CAST('1' AS VARINT)",
            "SELECT repeat('a', 1000000)",
            "SELECT lpad('a', 1000000, 'b')",
        ),
    ),
    (
        "connections",
        r"no address and no quotes|plain name|plain values|and `read_only`|'set_backend' takes|unknown function|no arguments"
        r"|may only be called",
        [
            *(
                f"ibis.duckdb.connect({given})"
                for given in (
                    "'md:x'",
                    "'md:'",
                    "'MD:x'",
                    "' md:x'",
                    "'motherduck:x'",
                    "'s3:x'",
                    "'http:x'",
                    "'C:x'",
                    "'x/y.duckdb'",
                    "'..'",
                    "'~'",
                    "database='md:x'",
                    "'x.duckdb', motherduck_token='x'",
                    "'x.duckdb', temp_directory='x'",
                    "'x.duckdb', extensions=['httpfs']",
                    "'x.duckdb', custom_extension_repository='x'",
                    "'x.duckdb', secret_directory='x'",
                    "'x.duckdb', allow_unsigned_extensions=True",
                    "**{'database': 'x'}",
                    "*['x']",
                    "'x' + 'y'",
                )
            ),
            "ibis.connect('md:x')",
            "ibis.postgres.connect('x')",
            "f = ibis.duckdb.connect\nf('md:x')",
            "ibis.set_backend('md:x')",
            "x = 'md:x'\nibis.set_backend(x)",
            "x = 'm' + 'd:x'\nibis.set_backend(x)",
            "(lambda x: ibis.set_backend(x))('md:x')",
            "con = ibis.duckdb.connect()\ncon = 'x'\nibis.set_backend(con)",
            "[ibis.set_backend(con) for con in ['x']]",
            "f = ibis.set_backend\nf('md:x')",
            "ibis.set_backend(str('md:x'))",
            "ibis.read_csv('s3:x')",
            "ibis.read_csv(['x.csv', 's3:x'])",
            "ibis.read_parquet('gs:x')",
            "ibis.read_json({'x': 'hf:x'})",
            "con = ibis.get_backend()\ncon.read_csv('az:x')",
        ],
    ),
    (
        "texts that end in SQL",
        r"no address and no quotes|plain name|plain values",
        [
            "orders.to_csv('x.csv', delimiter='\"\\'); DROP TABLE orders; --')",
            "orders.to_csv('x.csv', delimiter=\"'\")",
            'orders.to_csv("x\' (FORMAT csv); DROP TABLE orders; --")',
            "orders.to_parquet('x.parquet', compression='\"')",
            'orders.to_parquet("x\'.parquet")',
            'orders.to_json("x\'.json")',
            "ibis.read_csv('x.csv', delim=\"'\")",
            'ibis.read_parquet("x\'y")',
            "orders.to_csv('x.csv', **{'delimiter': 'x'})",
        ],
    ),
    (
        "UDFs and patterns",
        r"'builtin' takes no arguments|SQL function '\w+' is not allowed|a pattern is written",
        [
            "@ibis.udf.scalar.builtin(name='getvariable')\ndef f(x: str) -> str: ...\n\norders.select(x=f(orders.status))",
            "@ibis.udf.scalar.builtin(database='x')\ndef f(x: str) -> str: ...\n\norders.select(x=f(orders.status))",
            *(
                f"@ibis.udf.scalar.builtin\ndef {name}(x: str) -> str: ...\n\norders.select(x={name}(orders.status))"
                for name in (
                    "getvariable",
                    "current_setting",
                    "write_log",
                    "json_structure",
                    "nextval",
                    "error",
                )
            ),
            "con = ibis.get_backend()\ncon.list_tables(like='(a+)+$')",
            "con = ibis.get_backend()\ncon.list_tables(like='(a*)*b')",
            "con = ibis.get_backend()\ncon.list_tables(like='a*a*a*a*b')",
            "x = '(a+)+$'\ncon = ibis.get_backend()\ncon.list_tables(like=x)",
            "orders.select(s.matches('(a+)+$'))",
        ],
    ),
]
