"""HTML from templates: escaped, in the learner's language, and the same each time it is made."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from dockerlab.i18n import _, digits, language, ngettext

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, package: str = "dockerlab.widgets", **facts: Any) -> str:
    """Fill `templates/TEMPLATE.html.j2`; `_`, `ngettext` and `digits` can be used in it."""
    return (
        _environment(package).get_template(f"{template}.html.j2").render(lang=language(), **facts)
    )


@cache
def _environment(package: str) -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(_=_, ngettext=ngettext, digits=digits)
    return environment
