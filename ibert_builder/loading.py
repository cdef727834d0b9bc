"""`load_dataset` for every supported version of `datasets`, including those that cannot load scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ibert_builder.errors import InputError, wrong_value

SCRIPT = "ibert_multitask"


def load_dataset(
    path: str | Path = SCRIPT,
    name: str | None = None,
    *,
    split: Any = None,
    cache_dir: str | None = None,
    download_mode: Any = None,
    verification_mode: Any = None,
    keep_in_memory: bool | None = None,
    streaming: bool = False,
    num_proc: int | None = None,
    revision: Any = None,
    token: Any = None,
    trust_remote_code: bool | None = None,
    **config_kwargs: Any,
) -> Any:
    """Load the dataset as `datasets.load_dataset("./ibert_multitask.py", name, ...)` does, through the builder class.

    Args:
        path: stands for the installed builder: `ibert_multitask`, `./ibert_multitask.py` (even if there is no such
            file), or the path of an existing `ibert_multitask.py` elsewhere.
        name: a task, or `all` (the default).
        split: a split or a slice of one, such as `train[:10%]`; by default a dictionary of all splits.
        cache_dir, download_mode, verification_mode, keep_in_memory: as in `datasets.load_dataset`.
        streaming: yield examples as they are made instead of writing them to the cache.
        num_proc: processes to prepare the data with.
        revision, token: accepted and ignored, as `datasets` does for a local script.
        trust_remote_code: accepted and not needed.
        **config_kwargs: `examples_per_template`, `seed`, `templates_dir`, `dialects`, `trust_templates`.

    Returns:
        A `Dataset` or `DatasetDict`, or with `streaming` an `IterableDataset` or `IterableDatasetDict`.

    Raises:
        InputError: an argument or a template is wrong, or the cache cannot be written.
    """
    # Imported here, since `ibert_multitask` imports this package, and takes seconds that `import ibert_builder` should not.
    from ibert_multitask import IbertMultitask, refuse_unknown

    _check_script(path)
    refuse_unknown(config_kwargs)
    builder = IbertMultitask(cache_dir=cache_dir, config_name=name, **config_kwargs)
    if streaming:
        return builder.as_streaming_dataset(split=split)
    builder.download_and_prepare(
        download_mode=download_mode, verification_mode=verification_mode, num_proc=num_proc
    )
    return builder.as_dataset(split=split, in_memory=bool(keep_in_memory))


def _check_script(path: Any) -> None:
    if not isinstance(path, str | Path):
        raise wrong_value("path", path, f"the path of {SCRIPT}.py")
    script = Path(path)
    if script.name.removesuffix(".py") != SCRIPT:
        raise InputError(
            f"this loads {SCRIPT}.py only, found '{path}'; use datasets.load_dataset for other datasets",
            key="path",
        )
    if script.parent != Path() and not script.exists():
        raise InputError(f"no such script '{path}'; '{SCRIPT}' stands for the installed one", key="path")
