"""`docker push` as it is seen: the lines that it prints, in an order that never varies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dockerlab.engine.images import Image, ImageStore
from dockerlab.engine.progress import Progress
from dockerlab.engine.words import push_refused
from dockerlab.errors import EngineError, RegistryError
from dockerlab.image import digest as digests
from dockerlab.image.reference import Reference
from dockerlab.registry.transfer import Step

AT_ONCE = 5  # docker's max-concurrent-uploads
Say = Callable[[str], None]


def push(
    store: ImageStore,
    reference: Reference,
    say: Say,
    *,
    all_tags: bool = False,
    progress: Progress | None = None,
) -> None:
    """Push one image, or all tags of a repository; EngineError in docker's words, or Cancelled."""
    progress = progress or Progress()
    say(f"The push refers to repository [{reference.locator}]")
    images = _named(store, reference)
    if not images:
        raise EngineError(
            f"An image does not exist locally with the tag: {reference.familiar_name}"
        )
    if not all_tags and reference not in images:
        raise EngineError(f"tag does not exist: {reference.familiar}")
    with store.source(reference.registry) as source:
        try:
            source.ping()
            names: list[Reference] = sorted(images) if all_tags else [reference]
            for name in names:
                printer = _Printer(images[name], say, progress)
                pushed = store.push(name, printer.step, source=source)
                say(f"{name.tag}: digest: {pushed.digest} size: {pushed.size}")
        except RegistryError as error:
            raise EngineError(push_refused(error)) from error


def _named(store: ImageStore, reference: Reference) -> dict[Reference, Image]:
    """The tags of that repository, each with its image."""
    return {
        name: image
        for image in store.list()
        for name in image.names
        if name.locator == reference.locator
    }


class _Printer:
    """Makes docker's lines of the steps of a push: topmost layer first, by its diff ID."""

    def __init__(self, image: Image, say: Say, progress: Progress) -> None:
        self._say, self._progress = say, progress
        pairs = list(zip(image.layers, image.diff_ids, strict=True))[::-1]
        self._layers = {layer.digest: digests.short(diff_id) for layer, diff_id in pairs}
        self._order = list(self._layers)
        self._ends: dict[str, str] = {}
        for number, (layer, diff_id) in enumerate(pairs):
            say(f"{digests.short(diff_id)}: Preparing")
            progress.step(Step(digests.short(diff_id), "waiting", 0, layer.size))
            if number == len(pairs) - 1:
                for digest in self._order[AT_ONCE:]:
                    say(f"{self._layers[digest]}: Waiting")

    def step(self, step: Step) -> None:
        """The next step."""
        self._progress.check()
        if step.digest in self._layers:
            self._progress.step(replace(step, digest=self._layers[step.digest]))
        end = _END.get(step.state)
        if end and step.digest in self._layers:
            self._ends[step.digest] = end.format(step.source)
        while self._order and self._order[0] in self._ends:
            digest = self._order.pop(0)
            self._say(f"{self._layers[digest]}: {self._ends[digest]}")


_END = {"exists": "Layer already exists", "mounted": "Mounted from {}", "done": "Pushed"}
