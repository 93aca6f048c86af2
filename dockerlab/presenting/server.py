"""The speaker's page, on the JupyterLab of the presentation; only who has its token sees it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado.web import authenticated

from dockerlab import i18n
from dockerlab.i18n import _
from dockerlab.presenting.html import markdown, render
from dockerlab.presenting.plan import Plan, plan


class Notes(JupyterHandler):
    """The page with the notes."""

    plan: Plan

    def initialize(self, plan: Plan) -> None:
        """What is presented."""
        self.plan = plan

    @authenticated
    def get(self) -> None:
        """The page."""
        lab = url_path_join(self.base_url, "lab/tree", self.plan.place)
        silent = _("There is no note here.")
        steps = [
            {"title": step.title, "note": markdown(step.note or silent), "solution": step.solution}
            for step in self.plan.steps
        ]
        self.finish(render("notes", plan=self.plan, steps=steps, lab=lab))


class Steps(Notes):
    """What JupyterLab must know of the lesson."""

    @authenticated
    def get(self) -> None:
        """It as JSON."""
        self.set_header("Content-Type", "application/json")
        started = self.settings["started"].isoformat()
        self.finish(json.dumps({**asdict(self.plan), "started": started}))


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(app: Any) -> None:
    lang, name = str(app.config.Presentation.place).removesuffix(".ipynb").split("/")
    i18n.choose(lang)
    known = {"plan": plan(name, lang)}
    page = url_path_join(app.web_app.settings["base_url"], "dockerlab/present")
    app.web_app.add_handlers(".*$", [(page, Notes, known), (f"{page}/steps", Steps, known)])
