"""IPython in this very process, as a kernel has it."""

from collections.abc import Iterator

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from dockerlab import i18n


def shell() -> Iterator[InteractiveShell]:
    """A shell with dockerlab loaded and no history; the language is as before afterwards."""
    settings = Config()
    settings.HistoryManager.enabled = False
    made = InteractiveShell(config=settings)
    made.run_line_magic("load_ext", "dockerlab")
    yield made
    i18n.choose(None)
