"""The Hugging Face builder: configs, features, splits and examples. Everything else is in `ibert_builder`."""

import dataclasses
import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import datasets

from ibert_builder import __version__, load_dataset
from ibert_builder.databases.model import SPLITS
from ibert_builder.errors import InputError, unknown
from ibert_builder.generation.catalog import digest, resolve_templates_dir
from ibert_builder.generation.generate import Options, Tally
from ibert_builder.records import ALL, configs, features, tasks_of, to_row
from ibert_builder.workers.forks import forks_end_with_this
from ibert_builder.workers.shards import prove, shards_of
from ibert_builder.workers.worker import Place
from ibert_builder.writing import checksums


@dataclasses.dataclass
class IbertConfig(datasets.BuilderConfig):
    """A config: a task or `all`.

    Attributes:
        examples_per_template: drafts per template over all splits; None for each template's own number.
        seed: of every draw.
        templates_dir: a folder of templates; None for the ones that come with the package.
        dialects: the SQL dialects to draw from, for the tasks that have dialects; None for their usual mix.
        trust_templates: run templates from outside the package even where the system cannot confine them.

    Raises:
        InputError: one of them is not of its type, or there is no such dialect or folder.
    """

    examples_per_template: int | None = None
    seed: int = 0
    templates_dir: str | None = None
    dialects: tuple[str, ...] | list[str] | None = None
    trust_templates: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.options, self.place  # which check what they are made of

    @property
    def options(self) -> Options:
        return Options(self.examples_per_template, self.seed, self.dialects)

    @property
    def place(self) -> Place:
        return Place(str(resolve_templates_dir(self.templates_dir)), trusted=self.trust_templates)

    def create_config_id(
        self, config_kwargs: dict[str, Any], custom_features: datasets.Features | None = None
    ) -> str:
        # The cache goes by this id: other templates, other code or another Ibis must never be served old rows.
        # Nor can every major version of `datasets` read what another one wrote.
        kwargs = {
            name: value
            for name, value in config_kwargs.items()
            if name not in ("templates_dir", "trust_templates")
        }
        usual = super().create_config_id(kwargs, custom_features)
        major = datasets.__version__.partition(".")[0]
        return f"{usual}-{digest(self.templates_dir)}-datasets{major}"


# The library hands these to every builder. This one reads no data files, so they are a mistake.
UNUSED = ("data_dir", "data_files")
OF_LIBRARY = frozenset(inspect.signature(datasets.DatasetBuilder).parameters) - {"config_kwargs"}
KEYWORDS = tuple(
    field.name for field in dataclasses.fields(IbertConfig) if field.name in IbertConfig.__annotations__
)


def refuse_unknown(keywords: Iterable[str]) -> None:
    """Refuse what is not a config keyword.

    Raises:
        InputError: naming the nearest keyword of `load_dataset`.
    """
    known = {*KEYWORDS, *inspect.signature(load_dataset).parameters} - {"config_kwargs"}
    for keyword in keywords:
        if keyword not in KEYWORDS:
            raise InputError(unknown("keyword", keyword, known), key=keyword)


class IbertMultitask(datasets.GeneratorBasedBuilder):
    """Proved training examples for the Ibis dataframe library."""

    VERSION = datasets.Version(__version__)
    BUILDER_CONFIG_CLASS = IbertConfig
    BUILDER_CONFIGS = [IbertConfig(name=name, version=__version__) for name in configs()]
    DEFAULT_CONFIG_NAME = ALL

    def __init__(self, *args: Any, config_name: str | None = None, **kwargs: Any) -> None:
        config_name = ALL if config_name in (None, "default") else config_name
        ours = {name: value for name, value in kwargs.items() if name not in OF_LIBRARY}
        refuse_unknown([*ours, *(name for name in UNUSED if kwargs.get(name) is not None)])
        options = IbertConfig(**ours).options  # `datasets` itself checks nothing, and passes over None
        for task in tasks_of(config_name):
            options.dialects_of(task)
        # A script's cache is in a folder named after its hash. Without one, ours would be the folder around it.
        kwargs["hash"] = kwargs.get("hash") or "installed"
        super().__init__(*args, config_name=config_name, **kwargs)

    def _build_cache_dir(self) -> str:
        folder = str(super()._build_cache_dir())
        checksums.remove_damaged(Path(folder))
        return folder

    def download_and_prepare(self, output_dir: str | None = None, *args: Any, **kwargs: Any) -> None:
        key, folder = ("cache_dir", self.cache_dir) if output_dir is None else ("output_dir", output_dir)
        # Orphans of a killed run would hold the lock of the cache, or write on into what the next run writes.
        with forks_end_with_this(), checksums.explaining(Path(folder), key):
            super().download_and_prepare(output_dir, *args, **kwargs)

    def _load_info(self) -> datasets.DatasetInfo:
        if self._output_dir != self.cache_dir:  # the user's own folder, which nothing has looked at yet
            checksums.refuse_damaged(Path(self._output_dir))
        return super()._load_info()

    def _save_info(self) -> None:
        super()._save_info()
        if (folder := Path(self._output_dir)).is_dir():  # not a remote one
            checksums.record(folder)

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(
            description=(__doc__ or "").strip(),
            features=features(self.config.name),
            license="apache-2.0",
        )

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        shards = shards_of(self.config.place, [task.name for task in tasks_of(self.config.name)])
        return [datasets.SplitGenerator(split, gen_kwargs={"shards": shards[split]}) for split in SPLITS]

    def _generate_examples(self, shards: list[tuple[str, str]]) -> Iterator[tuple[str, dict[str, Any]]]:
        for shard in shards:
            for record in prove(shard, self.config.options, Tally(), place=self.config.place):
                yield record["id"], to_row(record, self.info.features)
