"""The language of JupyterLab's own menus, buttons and dialogs.

JupyterLab has no Bangla of its own: the package `bangla` is the course's language pack for it.
"""

from __future__ import annotations

import json
from pathlib import Path

from dockerlab.jupyter import environment

LOCALES = {"bn": "bn_BD", "en": "en"}
_SETTING = "@jupyterlab/translation-extension/plugin.jupyterlab-settings"


def speak(home: Path, lang: str, *, wished: bool) -> None:
    """Let the JupyterLab that keeps its settings in `home` speak `bn` or `en` from its next start.

    Unless that is `wished` for, what was chosen in its menu stays.
    """
    path = Path(environment(home)["JUPYTERLAB_SETTINGS_DIR"], _SETTING)
    if wished or not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"locale": LOCALES[lang]}), "utf-8")
