"""The marks of what the lab made on a Docker Engine, which is all that it ever takes away."""

from __future__ import annotations

from collections.abc import Mapping

from dockerlab.image.sample import LABEL as SAMPLE_LABEL

LAB_LABEL = "dockerlab.lab"  # of what the lab makes: containers, volumes, networks, built images
OF_IMAGES = (LAB_LABEL, SAMPLE_LABEL)  # a container inherits the second one, whoever runs it


def ours(labels: Mapping[str, str] | None) -> bool:
    """Whether the image that bears these labels is the lab's."""
    return any(label in (labels or {}) for label in OF_IMAGES)
