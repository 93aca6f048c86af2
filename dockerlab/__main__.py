"""`python -m dockerlab` is the `dockerlab` command."""

from dockerlab.cli import main

main()
