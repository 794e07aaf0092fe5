"""What a person looks at of a replication: pictures, one page that needs no network, and a table in the terminal."""

from .page import write_report
from .summary import print_summary, records

__all__ = ["print_summary", "records", "write_report"]
