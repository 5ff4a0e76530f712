"""``leakaudit review REPORT``: go through the pairs of a report in a browser, and make files of what was said."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from leakaudit.report_file import PastReport
    from leakaudit.review.journal import Marks
    from leakaudit.review.pairs import ReviewPair
    from leakaudit.review.result import Result

FILE = click.Path(path_type=Path)


@click.command(epilog="Example: leakaudit review report.json --accepted leakaudit-accepted.toml --removals remove.csv")
@click.argument("report", type=FILE, metavar="REPORT")
@click.option("--data", type=FILE, metavar="DIR", help="Where the pictures are; default: the report's data set.")
@click.option("--accepted", type=FILE, help="Add what is fine to this accepted-findings file.")
@click.option("--removals", type=FILE, help="Write the samples to remove to this csv file.")
@click.option("--finish", is_flag=True, help="Write these files from the marks so far, and exit.")
@click.option(
    "--remove",
    type=click.Choice(["reference", "held-out"]),
    default="reference",
    show_default=True,
    help="The side of a leak to remove; reference is train where train is compared.",
)
@click.option("--open/--no-open", "show", default=True, help="Open the page in the browser.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on the loopback interface; default: any.")
def review(
    report: Path,
    *,
    data: Path | None,
    accepted: Path | None,
    removals: Path | None,
    finish: bool,
    remove: Literal["reference", "held-out"],
    show: bool,
    port: int,
) -> int:
    """Mark the pairs of a report as leak, fine or unsure.

    REPORT is a report in JSON. The page is on this machine alone; each mark is
    kept in REPORT.review.jsonl as it is made, and the next run goes on there.
    """
    from leakaudit.report_file import read_report
    from leakaudit.review.journal import journal_path, read_journal
    from leakaudit.review.pairs import review_pairs
    from leakaudit.review.result import check_removals, result

    if finish and not (accepted or removals):
        raise click.UsageError("--finish writes files: name them with --accepted FILE, --removals FILE or both")
    if removals:
        check_removals(removals)
    past = read_report(report)
    pairs, journal = review_pairs(past), journal_path(report)
    if finish:
        marks = read_journal(journal)
        for sentence in _write(result(pairs, marks, remove), accepted, removals):
            click.echo(sentence)
        _say_marks(pairs, marks)
        return 0
    if not pairs:
        click.echo("the report lists no pair of copies that is not accepted: nothing to review")
        return 0
    _serve(past, pairs, journal, data, accepted, removals, remove, show=show, port=port)
    return 0


def _serve(
    past: PastReport,
    pairs: tuple[ReviewPair, ...],
    journal_file: Path,
    data: Path | None,
    accepted: Path | None,
    removals: Path | None,
    remove: Literal["reference", "held-out"],
    *,
    show: bool,
    port: int,
) -> None:
    import webbrowser

    from leakaudit.errors import ConfigError
    from leakaudit.fingerprints.pictures.decode import quiet_decoders
    from leakaudit.review.journal import Journal
    from leakaudit.review.page import Page
    from leakaudit.review.pairs import all_pictures, n_passed_over
    from leakaudit.review.pictures import picture_folder
    from leakaudit.review.result import result
    from leakaudit.review.server import Review, ReviewServer

    names = all_pictures(pairs)
    pictures = picture_folder(data or Path(past.root), names, told=data is not None) if names else None
    files = [*(["--accepted", str(accepted)] if accepted else []), *(["--removals", str(removals)] if removals else [])]
    named = files or ["--accepted", "leakaudit-accepted.toml", "--removals", "remove.csv"]
    side = ["--remove", remove] if remove != "reference" else []
    page = Page(
        name=past.path,
        finish=shlex.join(["leakaudit", "review", past.path, "--finish", *named, *side]),
        can_finish=bool(files),
    )
    with Journal(journal_file) as journal, quiet_decoders():

        def write_files() -> list[str]:
            return _write(result(pairs, journal.marks, remove), accepted, removals)

        parts = Review(pairs, journal, page, pictures, write_files if files else None)
        try:
            server = ReviewServer(parts, port)
        except OSError as error:
            raise ConfigError(f"cannot listen on port {port}: {error.strerror or error}") from error
        with server:
            other = n_passed_over(past)
            beside = f"; {other:,} other finding{'s' if other != 1 else ''} without pairs to mark" if other else ""
            click.echo(f"{len(pairs):,} pair{'s' if len(pairs) != 1 else ''} to look at{beside}")
            click.echo(f"{server.address}\nMarks are kept in {journal_file}. Ctrl-C ends.")
            if show:
                webbrowser.open(server.address)
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                click.echo()
        _say_marks(pairs, journal.marks)
        click.echo(f"to finish: {page.finish}")


def _write(found: Result, accepted: Path | None, removals: Path | None) -> list[str]:
    from leakaudit.review.result import save_accepted, save_removals, sentences

    if accepted:
        save_accepted(accepted, found)
    if removals:
        save_removals(removals, found)
    return sentences(found, accepted, removals)


def _say_marks(pairs: tuple[ReviewPair, ...], marks: Marks) -> None:
    said = [marks.of.get(each.key) for each in pairs]
    counts = ", ".join(f"{said.count(mark):,} {mark}" for mark in ("leak", "fine", "unsure"))
    rest = said.count(None)
    damaged = f"; {marks.n_damaged:,} lines of the journal could not be read" if marks.n_damaged else ""
    click.echo(f"marked: {counts}; {rest:,} without a mark{damaged}")
