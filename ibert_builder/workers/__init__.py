"""Worker processes: whatever runs template code runs in one, confined by the operating system.

`pool.call` and `pool.in_order` run a function in workers, `shards.prove` yields the proved records of a shard, `forks` lets forks end
with their parent. `worker` is the parent's side of a worker and `main` the other one; they talk in `frames`, and `confinement` is what `main`
puts around itself before it reads any template.
"""
