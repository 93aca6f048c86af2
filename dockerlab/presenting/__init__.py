"""`dockerlab present`: a lesson on a projector, its notes in a second window.

JupyterLab runs with settings of its own, on a copy of its own of the lessons: what a speaker does
there stays away from what she has as a learner. `labextension` is our part of that JupyterLab: the
calm layout, the keys, and the way back when a demo goes wrong.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from filelock import FileLock, Timeout

from dockerlab import workspace
from dockerlab.errors import DockerlabError
from dockerlab.i18n import _, language
from dockerlab.jupyter import hasten

_SETTINGS = {
    "apputils-extension/themes": {"adaptive-theme": True},
    "notebook-extension/tracker": {
        "windowingMode": "none",
        "codeCellConfig": {"lineWrap": True, "lineNumbers": False},
        "showEditorForReadOnlyMarkdown": False,
    },
}


class AlreadyPresenting(DockerlabError):
    """There is a presentation already; `home` is where it lives."""

    def __init__(self, home: Path) -> None:
        super().__init__(str(home))
        self.home = home

    def message(self) -> str:
        """What happened, in the learner's language."""
        return _(
            "A presentation is open already. Its addresses stand in the terminal that it was "
            "started in; Ctrl-C ends it there."
        )


def present(folder: Path, lesson: str, *, port: int, browser: bool) -> None:
    """Present a lesson until the speaker ends it; AlreadyPresenting if somebody does."""
    from dockerlab.engine import current
    from dockerlab.engine.home import home, private

    place = f"{language()}/{workspace.lesson(lesson)}"
    current()  # a wish that cannot be granted is said before anything is written
    state = private(private(home()) / "present")
    try:
        alone = FileLock(state / "lock").acquire(timeout=0)
    except Timeout:
        raise AlreadyPresenting(state) from None
    with alone:
        _open(folder.expanduser() / "present", state, place, port, browser)


def _open(folder: Path, state: Path, place: str, port: int, browser: bool) -> None:
    from dockerlab.jupyter import trust
    from dockerlab.jupyter.language import speak
    from dockerlab.start import keep_open

    mine = _fresh(folder, place)
    trust(state, (mine.path / name for name in mine.ours if name != place))
    speak(state, language(), wished=True)
    _configure(state)
    print(_("Presented from a copy of its own: {path}").format(path=mine.path / place))
    pages = {
        _("The lesson, for the projector:"): f"lab/tree/{place}",
        _("Your notes, for your own screen:"): "dockerlab/present",
    }
    options = [f"--Presentation.place={place}"]
    keep_open(mine.path, state, port, pages, browser, options)


def _fresh(folder: Path, place: str) -> workspace.Workspace:
    """The lessons, this one as the course has it but without outputs; the last go is kept."""
    hasten()
    import nbformat

    presented = folder / place
    if presented.exists():
        presented.replace(presented.with_suffix(".last.ipynb"))
    mine = workspace.prepare(folder)
    notebook = nbformat.read(presented, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    partial = presented.with_name(f".{presented.name}")
    try:
        nbformat.write(notebook, partial)
        partial.replace(presented)
    finally:
        partial.unlink(missing_ok=True)
    return mine


def _configure(state: Path) -> None:
    """JupyterLab's settings for a projector, anew at each start; its theme is the system's."""
    from dockerlab.jupyter import environment

    shutil.rmtree(state / "workspaces", ignore_errors=True)  # where windows were the last time
    surroundings = environment(state)
    ours = Path(__file__).parent / "labextension"
    server = {"ServerApp": {"jpserver_extensions": {"dockerlab.presenting.server": True}}}
    lab = {"LabApp": {"extra_labextensions_path": [str(ours)]}}
    configuration = Path(surroundings["JUPYTER_CONFIG_DIR"])
    (configuration / "jupyter_server_config.json").write_text(json.dumps(server), "utf-8")
    (configuration / "jupyter_lab_config.json").write_text(json.dumps(lab), "utf-8")
    for name, setting in _SETTINGS.items():
        path = Path(surroundings["JUPYTERLAB_SETTINGS_DIR"], "@jupyterlab", name)
        path = path.with_name(f"{path.name}.jupyterlab-settings")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(setting), "utf-8")
