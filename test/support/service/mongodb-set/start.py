"""Run SecantusDB until the process is ended: start.py --host … --port … --storage-path …"""

import sys

from secantus import cli, commands

variables_of = commands._resolve_let_vars


def variables_without_zone(let):
    """Its `$$NOW` has a time zone and its stored dates have none, and it cannot compare the two."""
    found = variables_of(let)
    return {**found, "NOW": found["NOW"].replace(tzinfo=None)}


commands._resolve_let_vars = variables_without_zone
sys.exit(cli.main())
