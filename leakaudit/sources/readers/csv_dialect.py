"""How a csv file is written, from its head: encoding, delimiter, quotes, preamble, header.

The cells are split by one regular expression per candidate, because `csv.reader` refuses cells above a limit that can
be changed for the whole process only.
"""

from __future__ import annotations

import codecs
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

Rows: TypeAlias = list[tuple[str, ...]]

DELIMITERS = (",", "\t", ";", "|", ", ", "; ", "| ")
"""Candidates; of equally good ones the first wins, and the one with the space where every delimiter has it."""

NO_DELIMITER = "\x1f"
"""The ASCII unit separator stands for the delimiter of a file with one column: it occurs in no text."""

TRIAL_ROWS = 300
HEAD_ROWS = 2_000

MIN_REGULAR = 0.6
"""Share of rows that must have the same number of cells; below it the delimiter is part of the text. A file of prose
reaches 0.3 to 0.5 by chance (sentences with exactly one comma), a table with every fourth row broken 0.75."""

MISSING = frozenset(("", "?", "na", "n/a", "nan", "null", "none", "nil", "-", "--", "."))
_NUMBER = re.compile(
    r"[+-]?(?:\d+(?:[ ,'_]\d{3})*(?:[.,]\d*)?|[.,]\d+)(?:e[+-]?\d+)?%?|[+-]?inf(?:inity)?", re.IGNORECASE
)
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ]\d{1,2}:\d{2}.*)?|\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?")
_TRUTH = frozenset(("true", "false", "t", "f", "yes", "no"))
_HEADERS = """
    id index idx no text sentence question answer title name label labels target class y x category intent path filepath
    filename file image split set fold date time timestamp age sex gender price value score group subject
"""
_USUAL_HEADERS = frozenset(_HEADERS.split())


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the cells of a csv file are told apart.

    Parameters
    ----------
    delimiter : str
    quote : str
        Empty where quotes are part of the cells.
    skip_rows : int
        Physical lines before the header or the first row.
    rows : list of tuple of str
        The complete rows of the head after those, at most `HEAD_ROWS`, blank ones left out.
    why : str
        What was guessed, in words.
    """

    delimiter: str
    quote: str
    skip_rows: int
    rows: Rows
    why: str


# --- encoding -------------------------------------------------------------------------------------------------


def sniff_encoding(head: bytes, told: str | None = None) -> tuple[str, str]:
    """Encoding of the head of a text file, and how it was found.

    UTF-8 and UTF-16 are recognised by their own rules; otherwise `charset_normalizer` guesses from the lines that are
    not ASCII. Western text without a byte from 0x80 to 0x9F is called ``latin-1``, which it equals there.

    Returns
    -------
    encoding, why : str
        ``encoding`` is a Python codec name.

    Raises
    ------
    LookupError
        `told` is no codec.
    ValueError
        Binary.
    """
    if told is not None:
        codec = codecs.lookup(told)
        if not getattr(codec, "_is_text_encoding", True):
            raise LookupError(told)
        return codec.name, "as told"
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if head.startswith(mark):
            return name, "by its byte-order mark"
    if b"\0" in head and len(head) > 3:
        even, odd = head[0::2].count(0) * 2 / len(head), head[1::2].count(0) * 2 / len(head)
        if max(even, odd) > 0.4 and min(even, odd) < 0.05:
            return ("utf-16-le", "by its zero bytes") if odd > even else ("utf-16-be", "by its zero bytes")
    if b"\0" in head:
        raise ValueError("binary, not text: it holds NUL bytes")
    if sum(head.translate(_CONTROLS)) > 0.05 * len(head):
        raise ValueError("binary, not text: it holds control characters")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return _guess_encoding(head)
    return "utf-8", ""


_CONTROLS = bytes(1 if byte < 32 and byte not in b"\t\n\r\f\x1a\x1b" else 0 for byte in range(256))


def _guess_encoding(head: bytes) -> tuple[str, str]:
    from charset_normalizer import from_bytes

    lines = [line for line in head.splitlines() if not line.isascii()]
    sample = b"\n".join(lines)[: 1 << 16]
    matches = from_bytes(sample)
    best = matches.best()
    as_good = [m.encoding for m in matches if best and (m.chaos, m.coherence) == (best.chaos, best.coherence)]
    # Between equally plausible readings, the commonest encoding: the default of the WHATWG Encoding Standard.
    name = codecs.lookup(best.encoding).name if best and "cp1252" not in as_good else "cp1252"
    if sample.decode(name, "replace") == sample.decode("cp1252", "replace"):  # the commonest of all that read it alike
        name = "cp1252"
    if name in ("cp1252", "iso8859-15", "ascii") and not re.search(rb"[\x80-\x9f]", head):
        name = "iso8859-1"
    return ("latin-1" if name == "iso8859-1" else name), "guessed from the bytes that are not ASCII"


# --- cells ----------------------------------------------------------------------------------------------------


def parse(
    text: str, delimiter: str, quote: str, *, complete: bool, most: int = HEAD_ROWS
) -> tuple[Rows, list[int], int]:
    """Split text into rows of cells.

    Parameters
    ----------
    text : str
    delimiter : str
        One character, or one and a space.
    quote : str
        One character, doubled inside quoted cells; empty for none.
    complete : bool
        False where the text is the head of more: an unfinished last row is then dropped.
    most : int

    Returns
    -------
    rows : list of tuple of str
    ends : list of int
        Where each row ends in the text.
    n_broken : int
        Cells that begin with a quote and are not properly quoted.
    """
    import itertools

    between, mark = re.escape(delimiter), re.escape(quote)
    plain_cell = rf"[^{between}\r\n]*+" if len(delimiter) == 1 else rf"(?:(?!{between})[^\r\n])*+"
    quoted_cell = rf"{mark}((?:[^{mark}]|{mark}{mark})*+){mark}" if quote else r"(?!)()"
    cell_pattern = re.compile(rf"(?:{quoted_cell}|({plain_cell}))({between}|\r\n|\n|\r|\Z)")
    unfinished = re.compile(rf"{mark}(?:[^{mark}]|{mark}{mark})*+\Z") if quote else None
    rows: Rows = []
    ends: list[int] = []
    row: list[str] = []
    n_broken = at = 0
    for _ in itertools.count():
        if at >= len(text) and not row:
            break
        match = cell_pattern.match(text, at)
        if match is None:  # nothing but a lone carriage return before the end can do this
            break
        quoted, bare, end = match.groups()
        if quoted is not None:
            cell = quoted.replace(quote * 2, quote)
        else:
            cell = bare
            if quote and cell.startswith(quote):
                n_broken += 1
                if not complete and unfinished is not None and unfinished.match(text, at):
                    break
        row.append(cell)
        at = match.end()
        if end == delimiter:
            continue
        if not end and not complete:
            break
        rows.append(tuple(row))
        ends.append(at)
        row = []
        if len(rows) >= most or not end:
            break
    return rows, ends, n_broken


def sniff_dialect(text: str, *, complete: bool, delimiter: str | None = None, prefer: str = ",") -> Dialect:
    """Find delimiter, quote and preamble from the head of a file.

    Every candidate is tried; the best gives the most regular rows of at least two cells, with the first row as wide as
    the others, few broken quotes, and cells that are numbers or hold no other delimiter.

    Parameters
    ----------
    text : str
        Decoded head, without byte-order mark.
    complete : bool
        Whether the text is the whole file.
    delimiter : str or None
        Told by the user.
    prefer : str, default ","
        The delimiter that the file's extension promises; decides ties.
    """
    told = re.match(r"sep=(.)\r?\n", text)
    if delimiter in ("\\t", "tab"):
        delimiter = "\t"
    if told and delimiter is None:
        delimiter = told[1]
    candidates = (delimiter,) if delimiter else DELIMITERS
    between, quote = _best(text, candidates, complete=complete, prefer=prefer, least=0 if delimiter else MIN_REGULAR)
    between = delimiter or between
    why = "one column" if between == NO_DELIMITER else f"cells divided by {between!r}"
    if delimiter:
        why += " as its first line says" if told else " as told"
    rows, ends, _ = parse(text, between, quote, complete=complete)
    n_skipped = _preamble(rows, is_told=told is not None)
    n_lines = len(re.findall(r"\r\n|\n|\r", text[: ends[n_skipped - 1]])) if n_skipped else 0
    rows = [row for row in rows[n_skipped:] if row != ("",)] if between != NO_DELIMITER else rows[n_skipped:]
    if quote not in ('"', ""):
        why += f", quoted by {quote}"
    if not quote:
        why += ", quotes taken as part of the text"
    if n_lines:
        why += f", {n_lines} line{'s' if n_lines > 1 else ''} before the table skipped"
    return Dialect(between, quote, n_lines, rows, why)


def _best(text: str, candidates: Sequence[str], *, complete: bool, prefer: str, least: float) -> tuple[str, str]:
    """The delimiter and quote that make the most regular table; `NO_DELIMITER` where none reaches `least`."""
    best: tuple[float, int, int, str, str] = (least, 0, 1, NO_DELIMITER, '"')
    for order, between in enumerate(each for each in candidates if each in text):
        for quote in _quotes(text, between):
            rows, _, n_broken = parse(text, between, quote, complete=complete, most=TRIAL_ROWS)
            score, width = _regularity(rows[_preamble(rows, is_told=False) :], n_broken, between)
            score += 0.02 * (between[0] == prefer) + 0.01 * (len(between) > 1)
            if width > 1 and (score, width, -order) > best[:3]:
                best = (score, width, -order, between, quote)
    if best[3] == NO_DELIMITER and parse(text, NO_DELIMITER, '"', complete=complete, most=TRIAL_ROWS)[2]:
        return NO_DELIMITER, ""
    return best[3], best[4]


def _quotes(text: str, delimiter: str) -> list[str]:
    """Quote characters worth trying, the usual one first."""
    between = re.escape(delimiter)
    found = ['"']
    if re.search(rf"(?:^|{between})'[^'\r\n]*'(?:{between}|\r|\n|\Z)", text, re.MULTILINE):
        found.append("'")
    if '"' in text:
        found.append("")
    return found


def _regularity(rows: Rows, n_broken: int, delimiter: str) -> tuple[float, int]:
    rows = [row for row in rows if row != ("",)]
    widths = Counter(map(len, rows))
    if not widths:
        return 0.0, 0
    width, n_regular = max(widths.items(), key=lambda item: (item[1], item[0]))
    cells = [cell for row in rows[:100] if len(row) == width for cell in row]
    others = [each for each in ",;\t|" if each != delimiter[0]]
    clean = sum(not any(other in cell for other in others) or bool(_NUMBER.fullmatch(cell.strip())) for cell in cells)
    padded = sum(cell.startswith(" ") for cell in cells)
    first = next((len(row) for row in rows), 0)
    quoted_inside = sum(cell[:1] in ("'", '"') and cell[-1:] == cell[:1] and len(cell) > 1 for cell in cells)
    score = n_regular / len(rows)
    score -= 0.2 * (first != width) + 0.5 * n_broken / len(rows) + 0.3 * quoted_inside / max(len(cells), 1)
    if len(delimiter) > 1:  # `, ` is the delimiter only where every comma has its space: "Surname, Given",1 has not
        score -= 0.5 * sum(any(delimiter[0] in cell for cell in row) for row in rows) / len(rows)
    return score + 0.2 * (clean / max(len(cells), 1) - 1) - 0.02 * padded / max(len(cells), 1), width


def _preamble(rows: Rows, *, is_told: bool) -> int:
    """Rows before the table: blank ones, comments, a title; at most ten, and only before rows that agree in width."""
    width = Counter(len(row) for row in rows if row != ("",)).most_common(1)
    n_skipped = 1 if is_told else 0
    while n_skipped < min(10, len(rows)):
        row = rows[n_skipped]
        comment = row[0].startswith("#") and width and len(row) != width[0][0]
        title = len(row) == 1 < (width[0][0] if width else 1) and len(rows) > n_skipped + 2
        if row == ("",) or comment or title:
            n_skipped += 1
        else:
            break
    return n_skipped


# --- header ---------------------------------------------------------------------------------------------------


def header_evidence(rows: Sequence[Sequence[str]]) -> float:
    """Evidence that the first row names the columns, as a sum of log odds (natural logarithm); above 0: it does.

    Each column gives what it can, bounded so that no single one decides against all others:

    - its other cells are numbers, dates or truth values, and the first is not (for), or is (against);
    - the first cell occurs again below it (against), or does not although nearly every cell there does (for): a cell of
      the data is unseen with probability N1/n, the share of values seen once (Good-Turing);
    - the first cell is shorter than nearly all others, or has no digits where they have (for).

    A usual column name, or 0, 1, 2 … in order, speaks for a header; equal or empty cells in the first row against one.
    Most files have a header: the sum starts at 1 (odds of 2.7).
    """
    first = [cell.strip() for cell in rows[0]]
    below = [row for row in rows[1:] if len(row) == len(first)]
    evidence = 1.0
    filled = [cell for cell in first if cell]
    if len(first) > 2 and first in ([str(i) for i in range(len(first))], [str(i + 1) for i in range(len(first))]):
        return 5.0
    if len(set(filled)) < len(filled):
        evidence -= 3
    evidence -= sum(cell.lower() in MISSING for cell in first[1:])
    if any("".join(filter(str.isalnum, cell.lower())) in _USUAL_HEADERS for cell in first):
        evidence += 2
    if not below:
        return evidence - 4 * any(_type(cell) for cell in filled)
    for at, cell in enumerate(first):
        evidence += _column_evidence(cell, [row[at].strip() for row in below])
    return evidence


def _column_evidence(first: str, below: Sequence[str]) -> float:
    values = [cell for cell in below if cell.lower() not in MISSING]
    if first.lower() in MISSING or not values:
        return 0.0
    types = Counter(map(_type, values))
    common, n_common = types.most_common(1)[0]
    if common and n_common >= 0.9 * len(values):
        return -4.0 if _type(first) == common else 4.0
    if _type(first) == "number":
        return -1.5
    counts = Counter(values)
    once = sum(n == 1 for n in counts.values()) / len(values)
    unseen = min(max(once, 0.5 / (len(values) + 1)), 1 - 0.5 / (len(values) + 1))
    evidence = math.log(0.99 / unseen) if first not in counts else math.log(0.01 / (1 - unseen))
    shorter = (sum(len(cell) <= len(first) for cell in values) + 0.5) / (len(values) + 1)
    if once > 0.5:  # names and classes are as short as headers; only free text tells by its length
        evidence += math.log(0.5 / shorter) if shorter < 0.5 else -math.log(1.5)
    with_digits = sum(any(map(str.isdigit, cell)) for cell in values) / len(values)
    if with_digits > 0.95:
        evidence += -1.0 if any(map(str.isdigit, first)) else 2.0
    if len(first) > 100:
        evidence -= 3
    return max(-4.0, min(4.0, evidence))


def _type(cell: str) -> str:
    cell = cell.strip()
    if _NUMBER.fullmatch(cell):
        return "number"
    if _DATE.fullmatch(cell):
        return "date"
    return "truth" if cell.lower() in _TRUTH else ""
