"""The one Jupyter widget of the course: it carries a view's HTML to the page, and clicks back."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import anywidget
import traitlets

from dockerlab.i18n import _, language

if TYPE_CHECKING:
    from dockerlab.widgets.view import View

_HERE = Path(__file__).parent


class Live(anywidget.AnyWidget):
    """A page's end of a view. Its state is the view's HTML and what is said if nobody answers."""

    _esm = (_HERE / "live.js").read_text("utf-8")
    _css = (_HERE / "live.css").read_text("utf-8")
    html = traitlets.Unicode().tag(sync=True)
    lang = traitlets.Unicode().tag(sync=True)
    lost = traitlets.Unicode().tag(sync=True)

    def __init__(self, view: View) -> None:
        self._view = view
        self._lock = threading.RLock()
        super().__init__(
            html=view.html(live=True),
            lang=language(),
            lost=_("The kernel does not answer. If it was restarted, run this cell again."),
        )
        # ipykernel would keep clicks waiting until the running cell has ended; a click may cancel.
        self.comm.__dict__["_reply_subshell_for"] = lambda _data, subshell: subshell
        self.on_msg(self._asked)

    def __repr__(self) -> str:
        return repr(self._view)

    def bundle(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What tells a page to show this widget, by type; and notes on it."""
        return cast(tuple[dict[str, Any], dict[str, Any]], self._repr_mimebundle_())

    def draw(self) -> None:
        """Fill the template in again."""
        with self._lock:
            self.html = self._view.html(live=True)

    def _asked(self, _widget: Live, content: Any, _buffers: Any) -> None:
        """A click or a key; whatever comes of it, the page hears that it was heard."""
        name, number = str(content.get("do", "")), content.get("number")
        try:
            self._view.handle(name, content.get("value"))
            self.draw()
        finally:
            self.send({"done": number})
