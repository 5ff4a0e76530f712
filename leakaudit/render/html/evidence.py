"""What a finding shows, cut to what fits on a card: pictures, rows, texts, samples."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from leakaudit.catalogue import is_of
from leakaudit.model import Evidence, Finding, Sample, SamplePair
from leakaudit.render.words import summary

PAIRS_SHOWN = 4
"""Pairs of one finding; their total stands beside them."""

SAMPLES_SHOWN = 50
COLUMNS_SHOWN = 14

PICTURE_BYTES = 12_000_000
"""Pictures of a page take at most so much before base64; what is beyond is named without its picture."""

SMALL_PICTURE = 64
"""Pixels: a picture of at most this side is enlarged without smoothing, so that its own pixels are what is seen."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A picture as a data URI; `number` instead where the page holds it elsewhere, for a card that is shown later."""

    uri: str
    small: bool
    number: int | None = None


@dataclass(slots=True)
class Pictures:
    """The previews that a page carries: inside the cards, or once in a list for cards that are shown later.

    Parameters
    ----------
    previews : mapping of str to bytes
        As `leakaudit.model.Report.previews`.
    apart : bool, default False
        Put pictures into `listed` from here on.
    left : int, default `PICTURE_BYTES`
        Bytes of pictures for which there is room.
    """

    previews: Mapping[str, bytes]
    apart: bool = False
    left: int = PICTURE_BYTES
    listed: list[str] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)

    def of(self, uri: str) -> Thumbnail | None:
        """The preview of a sample, None where there is none or the page is full."""
        data = self.previews.get(uri)
        if data is None:
            return None
        known = self._numbers.get(uri) if self.apart else None
        if known is None:
            if len(data) > self.left:
                return None
            self.left -= len(data)
        found = data_uri(data)
        if found is None or not self.apart:
            return found
        if known is None:
            known = self._numbers[uri] = len(self.listed)
            self.listed.append(found.uri)
        return Thumbnail("", found.small, known)


def data_uri(data: bytes) -> Thumbnail | None:
    """A preview inline; only PNG and JPEG, which is what previews are."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        side = max(int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))  # the IHDR chunk comes first
        return Thumbnail(f"data:image/png;base64,{b64encode(data).decode()}", side <= SMALL_PICTURE)
    if data.startswith(b"\xff\xd8\xff"):
        return Thumbnail(f"data:image/jpeg;base64,{b64encode(data).decode()}", small=False)
    return None


@dataclass(frozen=True, slots=True)
class RowTable:
    """Rows side by side: two rows a pair, in the columns that are shown; `marks`: what differs is marked."""

    columns: tuple[str, ...]
    n_hidden: int
    pairs: tuple[SamplePair, ...]
    marks: bool = True


@dataclass(frozen=True, slots=True)
class ShownPairs:
    """The pairs of a finding by the way they are shown: a text with marks, a row, or a picture (or its name)."""

    pictures: tuple[SamplePair, ...]
    texts: tuple[SamplePair, ...]
    rows: RowTable | None
    n_left: int


def shown_pairs(finding: Finding) -> ShownPairs:
    """The first pairs of a finding, sorted into what they are."""
    evidence, marks = finding.evidence, is_of(finding.code, "copies")
    pairs = evidence.pairs[:PAIRS_SHOWN]
    texts = tuple(pair for pair in pairs if pair.overlap is not None)
    rows = [pair for pair in pairs if pair.a.row is not None and pair.b.row is not None]
    if texts and all(_says_it_all(pair) for pair in rows):
        rows = []
    pictures = tuple(pair for pair in pairs if pair.overlap is None and (pair.a.row is None or pair.b.row is None))
    return ShownPairs(pictures, texts, row_table(rows, marks=marks) if rows else None, evidence.n_pairs - len(pairs))


def shown_samples(evidence: Evidence) -> list[Sample]:
    """The samples that a page shows of a finding, those whose pictures it needs."""
    sides = [side for pair in evidence.pairs[:PAIRS_SHOWN] for side in (pair.a, pair.b)]
    return [*sides, *evidence.samples[:SAMPLES_SHOWN]]


def _says_it_all(pair: SamplePair) -> bool:
    """Whether the rows hold nothing that the excerpts do not show in full."""
    overlap = pair.overlap
    if overlap is None:
        return False
    whole = {overlap.column: (overlap.a.text, overlap.b.text)}
    cells = {name: ((pair.a.row or {}).get(name), (pair.b.row or {}).get(name)) for name in pair.a.row or {}}
    labels = (pair.a.label, pair.b.label)
    return all(whole.get(name) == both or both == labels for name, both in cells.items())


def row_table(pairs: Sequence[SamplePair], *, marks: bool = True) -> RowTable:
    """All columns where they are few; else those that differ anywhere, then the first ones, in the file's order."""
    columns = list(dict.fromkeys(name for pair in pairs for row in (pair.a.row, pair.b.row) for name in row or {}))
    unlike = {name for pair in pairs for name in summary.unlike_cells(pair.a.row, pair.b.row)}
    chosen = sorted(columns, key=lambda name: name not in unlike)[:COLUMNS_SHOWN]
    return RowTable(tuple(name for name in columns if name in chosen), len(columns) - len(chosen), tuple(pairs), marks)
