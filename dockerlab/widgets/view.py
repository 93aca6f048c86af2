"""What a cell shows: plain text, HTML that stands anywhere, and HTML that answers to a kernel.

    a template + a view  ->  HTML, the same each time       (GitHub, nbviewer, PDF, nbval)
                         ->  HTML with controls -> live.js  (where a kernel runs)
    a click or a key     ->  view.on_…(value)   -> the template again -> what changed on the page

A view holds what is shown, never a secret: its HTML travels, and may be saved with the notebook.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from dockerlab.errors import DockerlabError
from dockerlab.widgets.html import render

if TYPE_CHECKING:
    from dockerlab.widgets.live import Live

Handler = Callable[[Any], None]


class View:
    """Something to look at, and to touch where a kernel runs.

    A subclass names its `template`, has a `__repr__` in plain words, and a method `on_NAME(value)`
    for each `data-do="NAME"` of the template: `value` is the control's, or a form's by names.
    """

    template: ClassVar[str]
    _live: Live | None = None
    trouble = ""  # what went wrong with the last thing that the learner did, in her language

    def html(self, live: bool = False) -> str:
        """The template, filled in; `live`: with what can be clicked and typed into."""
        return render(self.template, view=self, live=live)

    def _repr_html_(self) -> str:
        return self.html()

    def _repr_mimebundle_(self, **_: Any) -> Any:
        still = {"text/plain": repr(self), "text/html": self._repr_html_()}
        if not has_kernel():
            return still
        bundle, metadata = self.live().bundle()
        return {**bundle, **still}, metadata

    def live(self) -> Live:
        """The widget of this view: one, however often it is shown."""
        from dockerlab.widgets.live import Live

        if self._live is None:
            self._live = Live(self)
        return self._live

    def show(self) -> None:
        """Show what is there now wherever this view is on a page."""
        if self._live is not None:
            self._live.draw()

    def whisper(self, name: str, text: str) -> None:
        """Put a text into `data-whisper="NAME"` of the page; it is kept nowhere else."""
        if self._live is not None:
            self._live.send({"whisper": {name: text}})

    def handle(self, name: str, value: Any) -> None:
        """Do what the learner asked for; a mistake is shown and nothing else happens."""
        handler: Handler | None = getattr(self, f"on_{name}", None)
        if handler is None:
            return
        self.trouble = ""
        try:
            handler(value)
        except DockerlabError as error:
            self.trouble = error.message()

    def in_background(self, work: Callable[[], object]) -> None:
        """Do slow work, such as asking a registry, beside the kernel; then show what is there."""

        def run() -> None:
            try:
                work()
            except DockerlabError as error:
                self.trouble = error.message()
            self.show()

        threading.Thread(target=run, daemon=True).start()


def has_kernel() -> bool:
    """Whether what is shown here has a Jupyter kernel behind it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None
