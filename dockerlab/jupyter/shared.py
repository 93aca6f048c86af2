"""The same JupyterLab where others start it, as Binder and JupyterHub do.

`python -m dockerlab.jupyter.shared NOTEBOOK…` puts the course's settings where every JupyterLab of
this Python finds them, and the word `docker` where a terminal may find it. The notebooks are the
ones that learners open there.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from dockerlab.engine import word
from dockerlab.jupyter import server_settings
from dockerlab.workspace import for_this_python

# Memory is scarce there: the kernel of a notebook that is closed ends. Containers go on.
_KERNELS = {"cull_idle_timeout": 120, "cull_interval": 30}


def install(prefix: Path) -> None:
    """Settings for every JupyterLab of the Python at `prefix`."""
    server = prefix / "etc" / "jupyter" / "jupyter_server_config.json"
    lab = prefix / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    for path in (server, lab):
        path.parent.mkdir(parents=True, exist_ok=True)
    settings = {"ServerApp": server_settings(), "MappingKernelManager": _KERNELS}
    server.write_text(json.dumps(settings, indent=1) + "\n", "utf-8")
    shutil.copyfile(Path(__file__).parent / "settings" / "overrides.json", lab)


if __name__ == "__main__":
    install(Path(sys.prefix))
    word.lay()
    for notebook in map(Path, sys.argv[1:]):
        notebook.write_bytes(for_this_python(notebook.read_bytes()))
