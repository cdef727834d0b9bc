"""The Hugging Face builder: configs, features, splits and examples. Everything else is in `ibert_builder`."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import datasets

from ibert_builder import __version__
from ibert_builder.databases.model import SPLITS
from ibert_builder.generation.catalog import digest, resolve_templates_dir
from ibert_builder.generation.generate import Options, Tally
from ibert_builder.records import ALL, configs, features, tasks_of, to_row
from ibert_builder.workers.forks import forks_end_with_this
from ibert_builder.workers.shards import prove, shards_of
from ibert_builder.workers.worker import Place


@dataclasses.dataclass
class IbertConfig(datasets.BuilderConfig):
    """A config: a task or `all`.

    Attributes:
        examples_per_template: drafts per template over all splits; None for each template's own number.
        seed: of every draw.
        templates_dir: a folder of templates; None for the ones that come with the package.
        dialects: the SQL dialects to draw from, for the tasks that have dialects; None for their usual mix.
        trust_templates: run templates from outside the package even where the system cannot confine them.
    """

    examples_per_template: int | None = None
    seed: int = 0
    templates_dir: str | None = None
    dialects: tuple[str, ...] | list[str] | None = None
    trust_templates: bool = False

    @property
    def options(self) -> Options:
        dialects = None if self.dialects is None else tuple(self.dialects)
        return Options(self.examples_per_template, self.seed, dialects)

    @property
    def place(self) -> Place:
        return Place(str(resolve_templates_dir(self.templates_dir)), trusted=self.trust_templates)

    def create_config_id(
        self, config_kwargs: dict[str, Any], custom_features: datasets.Features | None = None
    ) -> str:
        # The cache goes by this id: other templates, other code or another Ibis must never be served old rows.
        kwargs = {
            name: value
            for name, value in config_kwargs.items()
            if name not in ("templates_dir", "trust_templates")
        }
        return f"{super().create_config_id(kwargs, custom_features)}-{digest(self.templates_dir)}"


class IbertMultitask(datasets.GeneratorBasedBuilder):
    """Proved training examples for the Ibis dataframe library."""

    VERSION = datasets.Version(__version__)
    BUILDER_CONFIG_CLASS = IbertConfig
    BUILDER_CONFIGS = [IbertConfig(name=name, version=__version__) for name in configs()]
    DEFAULT_CONFIG_NAME = ALL

    def __init__(self, *args: Any, config_name: str | None = None, **kwargs: Any) -> None:
        if config_name not in (None, "default"):
            tasks_of(config_name)
        super().__init__(*args, config_name=None if config_name == "default" else config_name, **kwargs)

    def download_and_prepare(self, *args: Any, **kwargs: Any) -> None:
        # Orphans of a killed run would hold the lock of the cache, or write on into what the next run writes.
        with forks_end_with_this():
            super().download_and_prepare(*args, **kwargs)

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(
            description=(__doc__ or "").strip(),
            features=features(self.config.name),
            license="apache-2.0",
        )

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        tasks = tasks_of(self.config.name)
        for task in tasks:
            self.config.options.dialects_of(task)
        shards = shards_of(self.config.place, [task.name for task in tasks])
        return [datasets.SplitGenerator(split, gen_kwargs={"shards": shards[split]}) for split in SPLITS]

    def _generate_examples(self, shards: list[tuple[str, str]]) -> Iterator[tuple[str, dict[str, Any]]]:
        for shard in shards:
            for record in prove(shard, self.config.options, Tally(), place=self.config.place):
                yield record["id"], to_row(record, self.info.features)
