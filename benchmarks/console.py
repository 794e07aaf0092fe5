"""The console script `rawstep-bench`."""

from typing import NoReturn

from training.commands.console import command


def rawstep_bench() -> NoReturn:
    """The console script `rawstep-bench`."""

    def main() -> None:
        from .cli import main

        main()

    command("rawstep-bench", main)
