"""What a person looks at of a replication: pictures, one page that needs no network, and a table in the terminal."""

from .page import beside, write_report
from .summary import print_summary

__all__ = ["beside", "print_summary", "write_report"]
