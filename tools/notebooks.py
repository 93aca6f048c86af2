"""Keep the two languages of the lessons in step.

    python tools/notebooks.py check              say what is wrong with the lessons, if anything
    python tools/notebooks.py sync bn [LESSON]   copy code, ids and tags from bn to the other twin
    python tools/notebooks.py run [NOTEBOOK]…    execute in place, in a lab of its own

Twins have the same cells in the same order, with the same ids, tags and solutions and with code
that is identical byte for byte; only prose differs.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parent))
import lint

ROOT = Path(__file__).parent.parent / "notebooks"
LANGUAGES = ("bn", "en")
WIDGET = "application/vnd.jupyter.widget-view+json"
STEP = re.compile(r"[LB]\d{1,2}")
TAGS = {"exercise", "nbval-ignore-output", "raises-exception"}
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
    "version": "3.11.0",
}  # as JupyterLab has it, or a lesson would open as modified

Notebook = dict[str, Any]


def read(path: Path) -> Notebook:
    """A notebook as plain data, with each cell's source as one text."""
    notebook: Notebook = json.loads(path.read_text("utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return notebook


def write(path: Path, notebook: Notebook) -> None:
    """Write in nbformat's own form: sorted keys, one space, sources as lists of lines."""
    cells = [
        {**cell, "source": cell["source"].splitlines(keepends=True)} for cell in notebook["cells"]
    ]
    text = json.dumps({**notebook, "cells": cells}, ensure_ascii=False, indent=1, sort_keys=True)
    path.write_text(text + "\n", "utf-8", newline="\n")


def lessons(root: Path = ROOT) -> list[str]:
    """The file names of all lessons that exist in at least one language."""
    return sorted(
        {path.name for language in LANGUAGES for path in (root / language).glob("*.ipynb")}
    )


def problems(root: Path = ROOT) -> Iterator[str]:
    """Everything that is wrong with the lessons under `root`, one sentence each."""
    for name in lessons(root):
        missing = [lang for lang in LANGUAGES if not (root / lang / name).exists()]
        if missing:
            yield f"{name}: there is no twin in {missing[0]}"
            continue
        twins = {lang: read(root / lang / name) for lang in LANGUAGES}
        yield from (f"{name}: {problem}" for problem in _twins(twins["bn"], twins["en"]))
        for lang, notebook in twins.items():
            found = [*_alone(notebook), *lint.problems(root / lang / name, notebook["cells"])]
            yield from (f"{lang}/{name}: {problem}" for problem in found)


def _twins(bn: Notebook, en: Notebook) -> Iterator[str]:
    if [_shape(cell) for cell in bn["cells"]] != [_shape(cell) for cell in en["cells"]]:
        yield "the twins' cells differ in order, id, type, tags or solution"
        return
    for one, other in zip(bn["cells"], en["cells"], strict=True):
        same = one["source"] == other["source"]
        if one["cell_type"] == "code" and not same:
            yield f"cell {one['id']}: the twins' code differs"
        if one["cell_type"] == "markdown" and same:
            yield f"cell {one['id']}: the prose is the same in both languages"


def _shape(cell: dict[str, Any]) -> tuple[Any, ...]:
    return cell["cell_type"], cell.get("id"), json.dumps(cell["metadata"], sort_keys=True)


def _alone(notebook: Notebook) -> Iterator[str]:
    if notebook["metadata"] != {"kernelspec": KERNEL, "language_info": LANGUAGE}:
        yield "its metadata are not those of the plain Python 3 kernel"
    ids = [cell.get("id") for cell in notebook["cells"]]
    if None in ids or len(set(ids)) != len(ids):
        yield "cell ids are missing or not unique"
    for cell in notebook["cells"]:
        yield from (f"cell {cell.get('id')}: {problem}" for problem in _cell(cell))


def _cell(cell: dict[str, Any]) -> Iterator[str]:
    tags = set(cell["metadata"].get("tags", ()))
    for tag in sorted(tags - TAGS):
        if not STEP.fullmatch(tag):
            yield f"the tag {tag} means nothing"
    if ("exercise" in tags) != bool(cell["metadata"].get("dockerlab", {}).get("solution")):
        yield "an exercise needs a solution in metadata.dockerlab.solution, and only an exercise"
    if cell["cell_type"] != "code":
        return
    if cell["execution_count"] is None:
        yield "it was never executed"
    raised = any(output["output_type"] == "error" for output in cell["outputs"])
    if raised != ("raises-exception" in tags):
        yield "it raised and should not have" if raised else "it should have raised and did not"


def sync(source: str, root: Path = ROOT, only: str = "") -> list[str]:
    """Bring the other twin's code, ids and metadata in step; its prose stays. Returns the names."""
    target = LANGUAGES[1 - LANGUAGES.index(source)]
    done = []
    for path in sorted((root / source).glob("*.ipynb")):
        if only not in path.name:
            continue
        ours, twin = read(path), root / target / path.name
        theirs = {c["id"]: c for c in read(twin)["cells"]} if twin.exists() else {}
        cells = [_merged(cell, theirs.get(cell["id"])) for cell in ours["cells"]]
        write(twin, {**ours, "cells": cells})
        done.append(path.name)
    return done


def _merged(cell: dict[str, Any], twin: dict[str, Any] | None) -> dict[str, Any]:
    if twin is None or twin["cell_type"] != cell["cell_type"]:
        return cell
    if cell["cell_type"] == "markdown":
        return {**cell, "source": twin["source"]}
    if twin["source"] == cell["source"]:
        return {**cell, "outputs": twin["outputs"], "execution_count": twin["execution_count"]}
    return {**cell, "outputs": [], "execution_count": None}


def execute(path: Path, home: Path, *, solve: bool = False) -> Notebook:
    """Run a notebook from its own folder in a lab of its own, and return it with its outputs.

    With `solve`, exercises are filled in with their solutions.
    """
    import nbformat
    from nbclient import NotebookClient

    from dockerlab.engine.embedded import Embedded

    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if solve and "solution" in cell.metadata.get("dockerlab", {}):
            cell.source = cell.metadata["dockerlab"]["solution"]
    surroundings = {
        **{key: value for key, value in os.environ.items() if key != "DOCKERLAB_LANG"},
        "DOCKERLAB_HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "DOCKERLAB_ENGINE": os.environ.get("DOCKERLAB_ENGINE", "embedded"),
        "DOCKER_DEFAULT_PLATFORM": "linux/amd64",  # the same digests on every machine
    }
    client = NotebookClient(
        notebook,
        timeout=60,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute(env=surroundings)
    finally:
        Embedded(home).reset()
        if surroundings["DOCKERLAB_ENGINE"] == "docker":  # what a lesson keeps is there, too
            command = [sys.executable, "-m", "dockerlab", "reset", "--yes"]
            subprocess.run(command, env=surroundings, check=True, capture_output=True)
    executed: Notebook = json.loads(nbformat.writes(notebook))
    for cell in executed["cells"]:
        cell["source"] = "".join(cell["source"])
    return executed


def normalised(notebook: Notebook) -> Notebook:
    """Without what differs from run to run or from machine to machine."""
    for number, cell in enumerate(c for c in notebook["cells"] if c["cell_type"] == "code"):
        cell["execution_count"] = number + 1
        cell["metadata"].pop("execution", None)
        cell["outputs"] = _joined(cell["outputs"])
        for output in cell["outputs"]:
            output.get("data", {}).pop(WIDGET, None)  # its HTML stays
            if "execution_count" in output:
                output["execution_count"] = number + 1
    metadata = {"kernelspec": KERNEL, "language_info": LANGUAGE}
    return {**notebook, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _joined(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Stream outputs that follow each other on one stream, as one: how they came is chance."""
    joined: list[dict[str, Any]] = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output["output_type"] == "stream":
            text = "".join(output["text"])
            if last.get("output_type") == "stream" and last["name"] == output["name"]:
                text = "".join(last["text"]) + text
                joined.pop()
            output = {**output, "text": text.splitlines(keepends=True)}
        joined.append(output)
    return joined


@click.group(help=__doc__.splitlines()[0] if __doc__ else None)
def main() -> None:
    """Keep the two languages of the lessons in step."""


@main.command("check")
def check_command() -> None:
    """Say what is wrong with the lessons."""
    found = list(problems())
    for problem in found:
        click.echo(problem)
    sys.exit(1 if found else 0)


@main.command("sync")
@click.argument("source", type=click.Choice(LANGUAGES))
@click.argument("lesson", default="")
def sync_command(source: str, lesson: str) -> None:
    """Copy code, ids and tags from SOURCE to the other language."""
    for name in sync(source, only=lesson):
        click.echo(name)


@main.command("run")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
def run_command(paths: tuple[Path, ...]) -> None:
    """Execute notebooks in place, each in a lab of its own."""
    for path in paths or sorted(ROOT.glob("??/*.ipynb")):
        with tempfile.TemporaryDirectory() as home:
            write(path, normalised(execute(path.resolve(), Path(home))))
        click.echo(path)


if __name__ == "__main__":
    main()
