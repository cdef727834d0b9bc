"""Reading YAML: files become pydantic models, and whatever is wrong with them is reported by file, line and key."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from ibert_builder.errors import InputError, unknown

Location = tuple[int | str, ...]
Model = TypeVar("Model", bound=BaseModel)

MOST_BYTES = 1_000_000  # of a file; the largest template file has 20,000
MOST_VALUES = 100_000  # in a file; aliases of aliases can make gigabytes of a few lines
DEEPEST = 200  # brackets within one another; libyaml overruns its stack at some ten thousand
LONGEST_SHOWN = 100  # characters of a wrong value in a message

TOO_DEEP = "not valid YAML: it is nested too deeply"

_BRACKETS = re.compile(r"[\[\]{}]")
_NESTED_ITEMS = re.compile(rf"(?:[-?:][ \t]+){{{DEEPEST}}}")  # `- - - -`, one list within another

# libyaml is about ten times faster; PyYAML's wheels have it, a build from source may not.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Strict(BaseModel):
    """A frozen model that refuses unknown keys, with a hint at the nearest known one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        known = {field.alias or name for name, field in cls.model_fields.items()}
        for key in data if isinstance(data, dict) else ():
            if key not in known:
                raise PydanticCustomError(
                    "unknown_key", "{text}", {"text": unknown("key", str(key), known), "key": key}
                )
        return data


class Source:
    """One YAML file: its `data`, and the line of every location in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            text = read_bytes(path).decode("utf-8")
            _refuse_deep_nesting(text)
            loader = _Loader(text)
            node = loader.get_single_node()
            self._lines: dict[Location, int] = {}
            if node is not None:
                self._record_lines(node, ())
            self.data: Any = None if node is None else loader.construct_document(node)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else None
            # PyYAML 6.0.4 and later have a limit of their own.
            too_deep = "maximum nesting depth" in str(error.problem)
            problem = TOO_DEEP if too_deep else f"not valid YAML: {error.problem}"
            raise InputError(problem, file=path, line=line) from error
        except InputError:
            raise
        except (
            ValueError,
            TypeError,
            LookupError,
            OverflowError,
            yaml.YAMLError,
        ) as error:  # such as 2024-13-45
            raise InputError(f"not valid YAML: {error}", file=path) from error
        except RecursionError:
            raise InputError(TOO_DEEP, file=path) from None

    def _record_lines(self, node: yaml.Node, location: Location) -> None:
        if len(self._lines) > MOST_VALUES:
            raise InputError(f"more than {MOST_VALUES} values, aliases written out", file=self.path)
        self._lines[location] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    raise InputError("expected a plain key", file=self.path, line=key.start_mark.line + 1)
                at = (*location, key.value)
                if at in self._lines:
                    raise InputError(
                        "the key is given twice", file=self.path, line=key.start_mark.line + 1, key=key.value
                    )
                self._record_lines(value, at)
                self._lines[at] = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self._record_lines(item, (*location, index))

    def line(self, location: Location) -> int:
        """The line of a location, or of the nearest one around it that the file has."""
        while location not in self._lines and location:
            location = location[:-1]
        return self._lines.get(location, 1)

    def error(self, problem: str, location: Location = ()) -> InputError:
        key = ".".join(str(part) for part in location)
        return InputError(problem, file=self.path, line=self.line(location), key=key or None)

    def parse(self, model: type[Model], data: Any = None, at: Location = ()) -> Model:
        """Validate `data` (the whole file by default), found at location `at`, as `model`.

        Raises:
            InputError: the first thing wrong, by file, line and key.
        """
        try:
            return model.model_validate(self.data if data is None else data)
        except ValidationError as invalid:
            first = invalid.errors()[0]
            location = (*at, *first["loc"])
            if first["type"] == "unknown_key":
                raise self.error(first["msg"], (*location, first["ctx"]["key"])) from None
            found = "" if first["type"] in ("missing", "value_error") else f", found {_shown(first['input'])}"
            raise self.error(first["msg"].removeprefix("Value error, ") + found, location) from None


def read_folder(folder: Path) -> Iterator[Source]:
    """The YAML files of a folder in name order."""
    for path in sorted(folder.glob("*.yaml")):
        yield Source(path)


def read_bytes(path: Path) -> bytes:
    """What a file of a templates folder holds.

    Raises:
        InputError: it cannot be read, is not a regular file, is too large, or has a name that is not UTF-8.
    """
    name = str(path).encode("utf-8", "backslashreplace").decode()
    if name != str(path):
        raise InputError("the name of the file is not UTF-8", file=name)
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # reading a pipe or a device may never end
            kind = next(
                (kind for kind, is_kind in _KINDS.items() if is_kind(found.st_mode)), "something else"
            )
            raise InputError(f"expected a file, found a {kind}", file=path)
        if found.st_size > MOST_BYTES:
            raise InputError(
                f"the file is too large: {found.st_size} bytes (at most {MOST_BYTES})", file=path
            )
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}", file=path) from error


_KINDS = {
    "directory": stat.S_ISDIR,
    "pipe": stat.S_ISFIFO,
    "socket": stat.S_ISSOCK,
    "device": lambda mode: stat.S_ISCHR(mode) or stat.S_ISBLK(mode),
}


def _refuse_deep_nesting(text: str) -> None:
    """Refuse what libyaml, which recurses in C, would crash on. Brackets in quoted text count, too: they close again."""
    depth = 0
    for bracket in _BRACKETS.findall(text):
        depth = depth + 1 if bracket in "[{" else max(depth - 1, 0)
        if depth > DEEPEST:
            raise RecursionError
    if _NESTED_ITEMS.search(text):
        raise RecursionError


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
