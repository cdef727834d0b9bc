"""Proved multi-task training examples for the Ibis dataframe library."""

__version__ = "0.3.0"

from ibert_builder.loading import load_dataset

__all__ = ["__version__", "load_dataset"]
