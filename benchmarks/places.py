"""Where a command's results are written."""

from dataclasses import dataclass

from cyclopts import Parameter

from training.workloads.options import FilePath


@Parameter(name="*")
@dataclass(frozen=True)
class Places:
    """Options of every command that prints a table; their descriptions are those of its --help."""

    json: FilePath | None = None
    """Write all samples, the figures, versions, flags, processor, command and commit to this file."""

    csv: FilePath | None = None
    """Write the figures to this file as comma-separated values, a line for each row of the table, with all digits."""

    out: FilePath | None = None
    """Write what --json writes into this folder, a file for each table, with a picture of each comparison."""

    def check(self) -> None:
        """Raises InputError for one that cannot be written."""
        from training.output.files import check_files, check_folder  # only now: --help answers without TensorFlow

        check_files(self.json, self.csv)
        if self.out is not None:
            check_folder(self.out)


NOWHERE = Places()
