"""The marks of what the lab made on a Docker Engine, which is all that it ever takes away."""

from __future__ import annotations

from collections.abc import Mapping

from dockerlab.image.sample import LABEL as SAMPLE_LABEL

LAB_LABEL = "dockerlab.lab"
OURS = (LAB_LABEL, SAMPLE_LABEL)  # either says that it is the lab's


def ours(labels: Mapping[str, str] | None) -> bool:
    """Whether what bears these labels is the lab's."""
    return any(label in (labels or {}) for label in OURS)
