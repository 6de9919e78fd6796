"""``python -m dagfoundry``: the command line."""

from dagfoundry.cli import main

main()
