"""Reports for people and machines, made from a `Report` and nothing else. A new format is one file and one line here.

The module of a format has one function, ``write(report, stream)``; it is imported when it is first used, so that nobody
pays for a renderer that is not asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from leakaudit.model import Report


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write a report; call it with the report and a text stream, whatever the stream's encoding is.

    Parameters
    ----------
    module : str
        Defines ``write(report, stream)``.
    suffix : str
        Of files in this format.
    previews : bool, default False
        Shows pictures: wants `Report.previews` filled (``Config.previews``).
    """

    module: str
    suffix: str
    previews: bool = False

    def __call__(self, report: Report, stream: TextIO) -> None:
        """Import the format's module, and write."""
        import_module(self.module).write(report, stream)


FORMATS: dict[str, Format] = {
    "text": Format("leakaudit.render.terminal.report", ".txt"),
    "json": Format("leakaudit.render.data.report_json", ".json"),
    "html": Format("leakaudit.render.html.page", ".html", previews=True),
    "markdown": Format("leakaudit.render.ci.markdown", ".md"),
    "sarif": Format("leakaudit.render.ci.sarif", ".sarif"),
    "junit": Format("leakaudit.render.ci.junit", ".xml"),
    "github": Format("leakaudit.render.ci.github", ".txt"),
    "gitlab": Format("leakaudit.render.ci.gitlab", ".json"),
}
"""By the name that ``--format`` takes."""
