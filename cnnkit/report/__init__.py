"""Results as pages: one HTML file that needs nothing beside it, and the same facts in Markdown."""

from cnnkit.report._report import write_report

__all__ = ["write_report"]
