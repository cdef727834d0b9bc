"""What is run against the walls: Python of an attacker who has got past everything else, and the snippets for the allow-list."""

from __future__ import annotations

import re

from tests.sandbox.hostile import CODE, RULED
from tests.sandbox.hostile_files import FILE_CODE
from tests.sandbox.hostile_objects import OBJECTS
from tests.sandbox.hostile_sql import SQL

# {F} is the folder of canaries, {P} the port, {PID} the parent.
PYTHON = {
    "reads a file": "found = open('{F}/canary.txt').read()",
    "reads by descriptor": "import os; found = os.read(os.open('{F}/canary.txt', os.O_RDONLY), 99)",
    "maps a file": "import numpy; found = numpy.memmap('{F}/canary.txt', mode='r').tobytes()",
    "reads by DuckDB": "import duckdb; found = duckdb.sql(\"SELECT content FROM read_text('{F}/canary.txt')\").fetchall()",
    "reads by Arrow": "import pyarrow.csv; found = pyarrow.csv.read_csv('{F}/canary.txt').column_names",
    "reads by pandas": "import pandas; found = pandas.read_csv('{F}/below/canary.csv').columns",
    "reads by a link": "import os; os.symlink('{F}/canary.txt', 'link'); found = open('link').read()",
    "reads by a hard link": "import os; os.link('{F}/canary.txt', 'link'); found = open('link').read()",
    "moves a file in": "import os; os.rename('{F}/canary.txt', 'canary'); found = open('canary').read()",
    "lists a folder": "import os; found = os.listdir('{F}')",
    "lists home": "import os; found = os.listdir('/root') + os.listdir('/home')",
    "reads passwords": "found = open('/etc/passwd').read()",
    "reads the parent's memory": "found = open('/proc/{PID}/mem', 'rb').read(1)",
    "reads the parent's variables": "found = open('/proc/{PID}/environ').read()",
    "reads its own variables": "import os; found = dict(os.environ)",
    "reads the variables it began with": "found = open('/proc/self/environ').read()",
    "reads by the C library": "import ctypes; c = ctypes.CDLL(None); f = c.open(b'{F}/canary.txt', 0); b = ctypes.create_string_buffer(99); c.read(f, b, 99); found = b.value or None",
    "writes a file": "open('{F}/new', 'w').write('x')",
    "changes a file": "open('{F}/canary.txt', 'a').write('x')",
    "cuts a file": "import os; os.truncate('{F}/canary.txt', 0)",
    "removes a file": "import os; os.unlink('{F}/canary.txt')",
    "removes a tree": "import shutil; shutil.rmtree('{F}')",
    "renames a file": "import os; os.rename('{F}/canary.txt', '{F}/other')",
    "makes a folder": "import os; os.mkdir('{F}/new')",
    "makes a link": "import os; os.symlink('/etc/passwd', '{F}/new')",
    "changes permissions": "import os; os.chmod('{F}/canary.txt', 0o777)",
    "changes the owner": "import os; os.chown('{F}/canary.txt', 1, 1)",
    "changes times": "import os; os.utime('{F}/canary.txt', (0, 0))",
    "sets an attribute": "import os; os.setxattr('{F}/canary.txt', 'user.x', b'x')",
    "writes by DuckDB": "import duckdb; duckdb.sql(\"COPY (SELECT 1) TO '{F}/new.csv'\")",
    "writes by pandas": "import pandas; pandas.DataFrame({{'a': [1]}}).to_pickle('{F}/new.pickle')",
    "connects": "import socket; socket.create_connection(('127.0.0.1', {P}), 2)",
    "sends a datagram": "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {P}))",
    "listens": "import socket; found = socket.create_server(('127.0.0.1', 0)).getsockname()",
    "connects by the C library": "import ctypes, socket; c = ctypes.CDLL(None, use_errno=True); found = c.socket(2, 1, 0) if c.socket(2, 1, 0) >= 0 else None",
    "connects to a local socket": "import socket; socket.socket(socket.AF_UNIX).connect('{F}/socket')",
    "connects to an abstract socket": "import socket; socket.socket(socket.AF_UNIX).connect('\\0ibert-{P}')",
    "loads an extension": "import duckdb; duckdb.sql('INSTALL httpfs')",
    "runs a program": "import os; found = None if os.system('true') else 'it ran'",
    "runs a shell": "import subprocess; found = subprocess.run('id', shell=True, capture_output=True).stdout",
    "becomes a program": "import os; os.execv('/bin/sh', ['sh', '-c', 'echo > {F}/new'])",
    "forks": "import os; found = os.fork()",
    "forks by multiprocessing": "import multiprocessing as m; p = m.get_context('fork').Process(target=print); p.start(); found = p.pid",
    "kills its parent": "import os; os.kill({PID}, 9)",
    "stops its parent": "import os, signal; os.kill({PID}, signal.SIGSTOP)",
    "reaches all processes": "import os; os.kill(-1, 0); found = 'reached'",
    "limits its parent": "import resource; resource.prlimit({PID}, resource.RLIMIT_NOFILE, (3, 3)); found = 'done'",
    "traces its parent": "import ctypes; c = ctypes.CDLL(None, use_errno=True); found = 'traced' if c.ptrace(16, {PID}, 0, 0) == 0 else None",
    "leaves the root": "import os; os.chroot('{F}'); found = os.listdir('/')",
    "mounts": "import ctypes; c = ctypes.CDLL(None); found = 'mounted' if c.mount(b'/etc', b'{F}', None, 4096, None) == 0 else None",
    "makes namespaces": "import ctypes; found = 'made' if ctypes.CDLL(None).unshare(0x10000000) == 0 else None",
    "takes its limits away": "import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1)); found = 'taken' if bytearray(20 << 30) else 0",
    "runs for ever": "while True: pass",
    "sleeps": "import time; time.sleep(3600)",
    "swallows signals": "import signal\nfor n in (1, 2, 10, 15, 24): signal.signal(n, signal.SIG_IGN)\nwhile True: pass",
    "a regular expression": "import re; re.match('(a+)+$', 'a' * 60 + 'b')",
    "a sum of lists": "sum([[0] * 1000] * 100000, [])",
    "a nested tuple": "x = ()\nfor _ in range(250000): x = (x,)\nhash(x)",
    "compares nested lists": "x, y = [1], [1]\nfor _ in range(60): x, y = [x, x], [y, y]\nx == y",
    "levenshtein": "import duckdb; duckdb.sql(\"SELECT levenshtein(repeat('a', 1000000), repeat('b', 1000000))\").fetchall()",
    "BIGNUM": "import duckdb; duckdb.sql(\"SELECT repeat('9', 1000000)::BIGNUM::VARCHAR\").fetchall()",
    "json_structure": "import duckdb; duckdb.sql(\"SELECT json_structure(repeat('[', 1000000) || repeat(']', 1000000))\").fetchall()",
    "executes 12 GB": "import ibis; ibis.range(1500000000).unnest().name('x').as_table().execute()",
    "enables logging": "import duckdb; duckdb.sql(\"CALL enable_logging(storage='file', storage_path='{F}')\"); duckdb.sql('SELECT 1').fetchall()",
    "takes all memory": "x = []\nwhile True: x.append(bytearray(1 << 28))",
    "takes much memory": "x = bytearray(12 << 30)",
    "opens many files": "x = [open('/dev/null') for _ in range(100000)]",
    "writes a large file": "f = open('x', 'wb')\nwhile True: f.write(bytes(1 << 24))",
    "leaves at once": "import os; os._exit(0)",
    "crashes": "import ctypes; ctypes.string_at(0)",
    "speaks out of turn": "import os\nfor f in range(3, 20):\n  try: os.write(f, b'\\x00' * 7 + b'\\x02[]' + b'x' * 40)\n  except OSError: pass",
}  # fmt: skip

# Those of them that stay in one step of C, which no thread of the worker's own can interrupt, or crash in one.
STEPS = (
    "compares nested lists", "levenshtein", "a sum of lists", "a regular expression", "BIGNUM", "a nested tuple", "json_structure",
    "executes 12 GB", "enables logging",
)  # fmt: skip

# The snippets name files and addresses that may not exist. With these in their place they would do harm that can be seen.
_AIMED = {
    "chr(47) || 'etc' || chr(47) || 'passwd'": "'{F}/canary.txt'",
    "chr(47) || 'tmp' || chr(47) || 'x'": "'{F}/new'",
    "/etc/passwd": "{F}/canary.txt",
    "/tmp/": "{F}/",
    "'x.": "'{F}/new.",
    "'../x": "'{F}/new",
    "'s3:x": "'http://127.0.0.1:{P}/x",
    "https://example.com": "http://127.0.0.1:{P}",
    "host='example.com'": "host='127.0.0.1', port={P}",
    "system('true')": "system('touch {F}/new')",
    'system("true")': 'system("touch {F}/new")',
    "getenv('HOME')": "getenv('IBERT_CANARY')",
}


def aimed(snippet: str, folder: object, port: int) -> str:
    """A snippet of the corpus, aimed at a folder of canaries and a listening port."""
    return re.sub(
        "|".join(map(re.escape, _AIMED)),
        lambda found: _AIMED[found[0]].replace("{F}", str(folder)).replace("{P}", str(port)),
        snippet,
    )


def _corpus() -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for kind, codes in CODE.items():
        found.setdefault(kind, []).extend(("python", code) for code in codes)
    for rules, codes in RULED.items():
        found.setdefault(f"under rules {[*RULED].index(rules)}", []).extend(("python", c) for c in codes)
    for kind, _, _, codes in OBJECTS:
        found.setdefault(kind, []).extend(("python", code) for code in codes)
    for kind, _, codes in FILE_CODE:
        found.setdefault(kind, []).extend(("python", code) for code in codes)
    for kind, texts in SQL.items():
        found.setdefault(f"SQL: {kind}", []).extend(("sql", text) for text in texts)
    return found


# By kind: the language of every snippet, and the snippet.
CORPUS = _corpus()
