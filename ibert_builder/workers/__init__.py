"""Worker processes: all template code runs in one of them, confined by the operating system.

`pool.call` and `pool.in_order` run functions in workers, `shards.prove` yields the proved records of a shard, and `forks` ends forks
with their parent. `worker` is the parent's side of a worker and `main` is the worker's own; they exchange `frames`. `main` confines
itself (`confinement`) before it reads any template.
"""
