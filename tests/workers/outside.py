"""What workers must not reach: files, variables of the environment, and sockets of every kind."""

from __future__ import annotations

import hashlib
import select
import shutil
import socket
from pathlib import Path

SECRET = "c4n4ry"


class Outside:
    """A folder of canaries, and listeners on TCP, UDP and local sockets; afterwards nothing must have touched them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("canary.txt", "below/canary.csv", "below/canary.duckdb"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(f"{SECRET}\n", encoding="utf-8")
        stream = socket.create_server(("127.0.0.1", 0))
        self.port = stream.getsockname()[1]
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams.bind(("127.0.0.1", self.port))
        self._listeners = [stream, datagrams]
        for address in (str(folder / "socket"), f"\0ibert-{self.port}"):
            local = socket.socket(socket.AF_UNIX)
            local.bind(address)
            local.listen()
            self._listeners.append(local)
        self._before = self._state()

    def _state(self) -> dict[str, tuple[int, int, str]]:
        return {
            str(path): (
                path.stat().st_mode,
                path.stat().st_mtime_ns,
                hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
            )
            for path in sorted(self.folder.rglob("*"))
        }

    def is_untouched(self) -> bool:
        return self._state() == self._before and not select.select(self._listeners, [], [], 0)[0]

    def close(self) -> None:
        for listener in self._listeners:
            listener.close()


class Discarded:
    """Stands in for `shutil` where the folders of workers are removed, and looks into their files for the secret."""

    def __init__(self) -> None:
        self.folders = 0
        self.leaks: list[str] = []

    def rmtree(self, folder: str, ignore_errors: bool) -> None:
        self.folders += 1
        files = [path for path in Path(folder).rglob("*") if path.is_file() and not path.is_symlink()]
        self.leaks += [path.name for path in files if SECRET.encode() in path.read_bytes()]
        shutil.rmtree(folder, ignore_errors)
