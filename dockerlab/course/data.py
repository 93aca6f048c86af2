"""The course's texts, kept as YAML beside the code that uses them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any


@cache
def load(name: str) -> Any:
    """The content of a data file such as `errors.yaml`, read once."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((Path(__file__).parent / name).read_bytes(), Loader=loader)
