"""A push or a pull while it goes on, layer by layer, and what came of it.

The cell waits for the end, as `%docker push` does. What it shows meanwhile is not its result: a
result has to be the same each time. Both are the same view, and the page is never without one.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Literal

from dockerlab.course.causes import explained
from dockerlab.course.explain import Meaning
from dockerlab.engine.progress import ENDS, Layer, Progress
from dockerlab.errors import Cancelled, DockerlabError
from dockerlab.i18n import _, digits, ngettext
from dockerlab.widgets.html import render
from dockerlab.widgets.registry import size
from dockerlab.widgets.view import View, has_kernel

if TYPE_CHECKING:
    from dockerlab.engine.base import Engine
    from dockerlab.registry.transfer import State

Way = Literal["push", "pull"]
_PAUSE = 0.1  # seconds between two pictures, at least
_SHARE = 20  # drawing takes no more than one part of so many of the time
_GRACE = 2.0  # seconds that a cancelled transfer has to tidy up while the cell waits


def transfer(way: Way, image: str, engine: Engine, context: str = "") -> TransferView:
    """Push or pull `image` on a docker host, and come back when that has ended, somehow."""
    view = TransferView(way, image, context)
    view.follow(engine)
    return view


class TransferView(View):
    """A transfer of `name`; its `state` is "running", "done", "failed" or "cancelled".

    When it failed, `words` are docker's, and `meaning` explains them.
    """

    template = "transfer"

    def __init__(self, way: Way, image: str, context: str = "") -> None:
        self.way, self.name, self.host = way, image, context
        self.registry = ""
        self.state, self.words, self.hint = "running", "", ""
        self.meaning: Meaning | None = None
        self.progress = Progress()
        self.is_shown = False  # as the result of its cell
        self._meanwhile = Meanwhile(self)
        self._ended = threading.Event()
        self._error: BaseException | None = None
        self._lock = threading.Lock()

    def follow(self, engine: Engine) -> None:
        """Carry it out in a thread of its own, and show meanwhile how far it is."""
        worker = threading.Thread(target=self._work, args=(engine,), daemon=True)
        try:
            worker.start()
            self._meanwhile.appear()
            while not self.progress.cancelled and not self._ended.wait(self._meanwhile.pause):
                self._meanwhile.show()
        except KeyboardInterrupt:
            self.progress.cancel()
        try:
            self._ended.wait(_GRACE if self.progress.cancelled else None)
        except KeyboardInterrupt:
            self.progress.cancel()
        self._end("cancelled")  # whoever is waited for says nothing, and will be told
        if self._error:
            raise self._error
        self._meanwhile.show()

    def html(self, live: bool = False) -> str:
        """Nothing at first where it is live: see `Meanwhile`."""
        waiting = live and not self.is_shown
        return render("shown") if waiting else render(self.template, view=self, live=live)

    def on_shown(self, _value: object) -> None:
        """The result is on the page."""
        self.is_shown = True
        self.show()
        self._meanwhile.show()

    def on_cancel(self, _value: object) -> None:
        """End it; what has arrived stays where it is."""
        self.progress.cancel()

    def _work(self, engine: Engine) -> None:
        try:
            self._carry_out(engine)
            self._end("done")
        except Cancelled:
            self._end("cancelled")
        except DockerlabError as error:
            self._fail(engine, str(error), getattr(error, "hint", ""))
        except OSError as error:
            from dockerlab.engine.commands import unusable

            self._fail(engine, unusable(error, engine))
        except BaseException as error:  # ours: it is raised where the learner sees it
            self._error = error
            self._end("failed")
        finally:
            self._ended.set()

    def _carry_out(self, engine: Engine) -> None:
        from dockerlab.engine.commands.transfer import to_pull, to_push
        from dockerlab.engine.second import at

        say = self.progress.say
        host = at(engine, self.host) if self.host else engine
        reference = (to_push if self.way == "push" else to_pull)(self.name, say)
        self.name, self.registry = reference.familiar, reference.registry
        do = host.push if self.way == "push" else host.pull
        do(reference, say, progress=self.progress)

    def _fail(self, engine: Engine, words: str, hint: str = "") -> None:
        if self.progress.cancelled:
            return self._end("cancelled")
        self.words, self.hint = words, hint
        self.meaning = explained(words, [self.way, self.name], engine)
        self._end("failed")

    def _end(self, state: str) -> None:
        """The first one to say how it ended is right."""
        with self._lock:
            if self.state == "running":
                self.progress.end()
                self.state = state

    @property
    def title(self) -> str:
        """What is done here."""
        return _("Push") if self.way == "push" else _("Pull")

    @property
    def summary(self) -> str:
        """What is going on, or what came of it: it changes once."""
        if self.state == "running":
            return _("Under way …")
        if self.state == "cancelled":
            said = _(
                "Cancelled: {name} is as it was before. Run this cell again whenever you like."
            )
            return said.format(name=self.name)
        if self.state == "failed":
            return _("It did not work.")
        return self._counted()

    @property
    def sign(self) -> str:
        """A sign for how it ended."""
        return {"done": "✔", "failed": "✘", "cancelled": "■"}.get(self.state, "")

    @property
    def layers(self) -> list[Layer]:
        """The layers, in docker's order."""
        return list(self.progress.layers.values())

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1."""
        if self.state == "done":
            return 1
        total = self.progress.total
        return self.progress.moved / total if total else 0

    def size(self, count: float) -> str:
        """Bytes as docker writes them."""
        return size(int(count))

    def extent(self, layer: Layer) -> str:
        """How large a layer is that goes over the wire; docker tells it of no other."""
        known = (layer.total or layer.current) if layer.travels else 0
        return size(known) if known else ""

    def told(self, layer: Layer) -> str:
        """How a layer is, with a sign."""
        if self.state != "running" and layer.state not in ENDS:
            return _("– not finished")
        here = self.way == "pull"
        words = {
            "waiting": _("… waiting"),
            "uploading": _("↑ on its way"),
            "downloading": _("↓ on its way"),
            "unpacking": _("▤ unpacking"),
            "done": _("✔ fetched") if here else _("✔ sent"),
            "exists": _("● already here") if here else _("● already there"),
            "mounted": _("⇄ mounted from {source}"),
        }
        return words[layer.state].format(source=layer.source)

    def _counted(self) -> str:
        """How many layers went which way."""
        counts = Counter(layer.state for layer in self.layers)
        if not counts:
            return _("Nothing to do: all of it is here already.")
        if self.way == "push":
            moved, there = _("{count} sent ({bytes})"), _("{count} already there")
        else:
            moved, there = _("{count} fetched ({bytes})"), _("{count} already here")
        sources = ", ".join(sorted({layer.source for layer in self.layers if layer.source}))
        texts: dict[State, str] = {
            "done": moved,
            "exists": there,
            "mounted": _("{count} mounted from {sources}"),
        }
        facts = {"bytes": size(self.progress.moved), "sources": sources}
        said = [
            text.format(count=digits(counts[state]), **facts)
            for state, text in texts.items()
            if counts[state]
        ]
        whole = ngettext("{count} layer: {parts}.", "{count} layers: {parts}.", len(self.layers))
        return whole.format(count=digits(len(self.layers)), parts=", ".join(said))

    def __repr__(self) -> str:
        lines = [f"{self.title} {self.name}"]
        if self.state == "done":
            lines += [
                f"{one.id}: {self.told(one)} {self.extent(one)}".strip() for one in self.layers
            ]
        lines += [f"{self.sign} {self.summary}".strip(), self.words, self.hint]
        lines += [str(self.meaning or "")]
        if self.progress.digest:
            lines.append(f"{_('digest')}: {self.progress.digest}")
        return "\n".join(filter(None, lines))


class Meanwhile(View):
    """The transfer while its cell runs; it goes away when the cell's result is on the page."""

    def __init__(self, view: TransferView) -> None:
        self._view, self.pause = view, _PAUSE
        self.on_cancel = view.on_cancel

    def html(self, live: bool = False) -> str:
        """What the view has; nothing where there is no kernel, as the result is below."""
        if not live or self._view.is_shown:
            return ""
        return render(self._view.template, view=self._view, live=True)

    def appear(self) -> None:
        """Show it on the page, if there is one."""
        if has_kernel():
            from IPython.display import display

            data, metadata = self.live().bundle()
            display(data, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]

    def show(self) -> None:
        """Draw it, and rest for so long that nothing is slower for that."""
        began = time.monotonic()
        super().show()
        self.pause = max(_PAUSE, _SHARE * (time.monotonic() - began))

    def __repr__(self) -> str:
        return ""
