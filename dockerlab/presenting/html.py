"""The pages of a presentation, from templates, and what is written in Markdown as HTML."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from dockerlab.i18n import _, digits, language
from dockerlab.jupyter import hasten

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **facts: Any) -> str:
    """Fill `templates/TEMPLATE.html.j2`; `_` and `digits` can be used in it."""
    return _environment().get_template(f"{template}.html.j2").render(lang=language(), **facts)


def markdown(text: str) -> str:
    """Markdown of the course's own as HTML."""
    hasten()
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    renderer: Any = IPythonRenderer(escape=False, exclude_anchor_links=True)
    return str(MarkdownWithMath(renderer=renderer).render(text))


def code(text: str) -> str:
    """Code of a notebook's cell as HTML, coloured."""
    from pygments import highlight  # type: ignore[import-untyped]
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
    from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]

    coloured = highlight(text, get_lexer_by_name("ipython3"), HtmlFormatter(nowrap=True))
    return f'<pre class="code" translate="no"><code>{coloured.rstrip()}</code></pre>'


def colours(style: str) -> str:
    """The stylesheet for code in one of Pygments' styles."""
    from pygments.formatters import HtmlFormatter

    return str(HtmlFormatter(style=style).get_style_defs(".code"))


def printed(text: str) -> str:
    """What a terminal would show, as HTML."""
    from nbconvert.filters.ansi import ansi2html

    return str(ansi2html(text))  # type: ignore[no-untyped-call]


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("dockerlab.presenting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(_=_, digits=digits)
    return environment
