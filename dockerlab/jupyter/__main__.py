"""`python -m dockerlab.jupyter` is `python -m jupyterlab`, and there sooner."""

from dockerlab.jupyter import hasten

hasten()
from jupyterlab.labapp import main  # type: ignore[import-untyped]  # noqa: E402

main()
