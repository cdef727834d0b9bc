"""The commands of `ibert-multitask`, a module each: `add` declares its options, `run` does it."""
