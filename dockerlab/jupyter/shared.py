"""The same JupyterLab where others start it, as Binder and JupyterHub do.

`python -m dockerlab.jupyter.shared` puts the course's settings where every JupyterLab of this
Python finds them, and the word `docker` where a terminal may find it.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from dockerlab.engine import word
from dockerlab.jupyter import server_settings


def install(prefix: Path) -> None:
    """Settings for every JupyterLab of the Python at `prefix`."""
    server = prefix / "etc" / "jupyter" / "jupyter_server_config.d" / "dockerlab.json"
    lab = prefix / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    for path in (server, lab):
        path.parent.mkdir(parents=True, exist_ok=True)
    server.write_text(json.dumps({"ServerApp": server_settings()}, indent=1) + "\n", "utf-8")
    shutil.copyfile(Path(__file__).parent / "settings" / "overrides.json", lab)


if __name__ == "__main__":
    install(Path(sys.prefix))
    word.lay()
