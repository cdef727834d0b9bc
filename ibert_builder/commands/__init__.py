"""The commands of `ibert-multitask`, one module each: `add` declares the options, `run` runs the command.

Imported by `cli` alone.
"""
