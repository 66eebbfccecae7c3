"""`kiosk run`: the terminal itself."""

from __future__ import annotations

from kiosk.cli.common import ConfigFile, configuration


def run(config: ConfigFile = None) -> None:
    """Run the terminal on this machine's devices until SIGTERM."""
    from kiosk.terminal.app import run_terminal

    raise SystemExit(run_terminal(configuration(config)))
