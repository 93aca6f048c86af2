"""The rules of the house: what may import what, what may be large, what must be said."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "dockerlab"
LAYERS = (  # each may import what stands before it, and its own kind
    {"i18n"},
    {"errors"},
    {"image"},
    {"registry"},
    {"engine"},
    {"hub"},
    {"course", "widgets"},
    {"classroom"},
    {"bundle", "doctor", "jupyter", "lab", "magic", "presenting", "start", "workspace"},
    {"cli", "__main__"},
)
HEAVY = {
    *("IPython", "anywidget", "click", "docker", "granian", "httpx", "ipywidgets", "jinja2"),
    *("jupyterlab", "nbformat", "platformdirs", "psutil", "starlette", "traitlets", "yaml"),
}
LONGEST = 400
BOTH = "dockerlab.registry.proxy"  # a cache asks one registry, and is another


def modules() -> dict[str, Path]:
    """Every module of the package by its name."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(path: Path) -> Iterator[str]:
    """What a file imports, anywhere in it; `from package import module` as the module."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else str(node.module)


def layer(module: str) -> int:
    """How high a module of ours stands; the package itself only opens doors, and stands below."""
    part = module.split(".")[1:2]
    return next((n for n, names in enumerate(LAYERS) if names >= set(part)), -1) if part else -1


def reach(*starts: str) -> set[str]:
    """The modules of ours that these import, directly or not."""
    seen: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name in MODULES and name not in seen and name != "dockerlab":
            seen.add(name)
            waiting += imports(MODULES[name])
    return seen


def test_imports_point_downwards_only() -> None:
    for name, path in MODULES.items():
        if name == "dockerlab":
            continue
        assert layer(name) >= 0, f"{name} has no layer"
        for imported in imports(path):
            if imported.split(".")[0] == "dockerlab":
                assert layer(imported) <= layer(name), f"{name} imports {imported}"


def test_the_registrys_client_and_server_share_nothing() -> None:
    client = reach("dockerlab.registry.client", "dockerlab.registry.transfer")
    served = set(imports(MODULES["dockerlab.registry.serve"])) - {BOTH}
    server = reach("dockerlab.registry.server", *served)
    both = {name for name in client & server if name.startswith("dockerlab.registry.")}
    assert both == set()


def test_httpx_is_the_clients_alone() -> None:
    users = {name for name, path in MODULES.items() if "httpx" in imports(path)}
    assert users <= reach("dockerlab.registry.client")
    assert {name.rpartition(".")[0] for name in users} == {"dockerlab.registry"}


@pytest.mark.parametrize("statement", ["import dockerlab", "import dockerlab.lab"])
def test_nothing_heavy_is_imported_before_it_is_used(statement: str) -> None:
    program = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert set(done.stdout.decode().split()) & HEAVY == set()


def tracked() -> list[Path]:
    """The files that git keeps."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True)
    if listed.returncode:
        pytest.skip("not a git repository")
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def test_every_file_is_small() -> None:
    code = [path for path in tracked() if path.suffix == ".py" and "tests" not in path.parts]
    lengths = {path.name: len(path.read_text("utf-8").splitlines()) for path in code}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_no_file_names_a_package_index_or_a_machines_folders() -> None:
    private = "|".join(
        [
            "pypi" + r"\.org",
            "python" + "hosted",
            "--index" + "-url",
            r"(?<![\w.])/(work|home|root)" + "/",
        ]
    )
    found = []
    for path in tracked():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.name}: {match[0]}" for match in re.finditer(private, text)]
    assert found == []


def members(module: ModuleType) -> Iterator[tuple[str, object]]:
    """The public classes and functions that a module defines, and their public methods."""
    for name, value in vars(module).items():
        ours = getattr(value, "__module__", None) == module.__name__
        if name.startswith("_") or not ours or not (inspect.isclass(value) or callable(value)):
            continue
        yield f"{module.__name__}.{name}", value
        for attribute, method in vars(value).items() if inspect.isclass(value) else ():
            if not attribute.startswith("_") and (
                inspect.isfunction(method) or isinstance(method, property)
            ):
                yield f"{module.__name__}.{name}.{attribute}", getattr(value, attribute)


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_every_public_name_is_explained(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    silent = [public for public, value in members(module) if not inspect.getdoc(value)]
    assert silent == []


@pytest.mark.parametrize("command", ["ruff check .", "ruff format --check .", "mypy"])
def test_the_code_passes(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command.split()], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readmes_two_commands_are_the_ones_that_are_tested(
    shell_lines: Callable[[str], list[str]],
) -> None:
    readme = shell_lines("README.md")
    assert "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/dockerlab" in readme
    tests = "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest"
    assert tests in readme
    assert tests in shell_lines(".ci/run")


@pytest.fixture
def shell_lines() -> Callable[[str], list[str]]:
    """The lines of a file of the project, without the white space around them."""
    return lambda name: [line.strip() for line in (ROOT / name).read_text("utf-8").splitlines()]


def test_the_start_page_leads_to_every_lesson_then_to_the_guides_and_nowhere_else() -> None:
    notebooks = ROOT / "notebooks"
    links = re.findall(r"\]\(([^)]+)\)", (notebooks / "start.md").read_text("utf-8"))
    guides = ["instructor.bn.md", "instructor.en.md"]
    lessons = links[: -len(guides)]
    assert links[-len(guides) :] == guides
    assert set(lessons) == {
        f"{path.parent.name}/{path.name}" for path in notebooks.glob("??/*.ipynb")
    }
    assert lessons[2:] == sorted(lessons[2:], key=lambda link: link.split("/")[::-1])


def test_what_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = {re.split(r"[\[>=<~;]", entry)[0] for entry in project["dependencies"]}
    names = {"yaml": "pyyaml", "IPython": "ipython", "dockerlab": "click"}
    parts = ("jupyter_server", "nbconvert", "packaging", "tornado")
    names |= dict.fromkeys(parts, "jupyterlab")  # which is made of them
    names["pygments"] = "ipython"
    imported = {each.split(".")[0] for path in MODULES.values() for each in imports(path)}
    wanted = {names.get(name, name) for name in imported - set(sys.stdlib_module_names)}
    assert wanted <= declared
