"""`python -m near_tee_cli`: the same as the command `near-tee`."""

from near_tee_cli.cli import main

main()
