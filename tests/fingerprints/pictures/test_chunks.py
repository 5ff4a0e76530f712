"""How the work is divided: files by number, cells by whole groups, giant groups into a few pieces."""

from __future__ import annotations

from leakaudit.fingerprints.pictures.contents import Listed
from leakaudit.fingerprints.pictures.scan import CHUNK, CHUNK_CELLS, LEAST_PIECE, MOST_PIECES, _chunks
from leakaudit.sources.storage.inside import Cell, cell_path


def cells(*rows_of_groups: int) -> list[Listed]:
    return [
        Listed(cell_path(Cell(b"a.parquet", "image", group, row)), -1, 0)
        for group, n in enumerate(rows_of_groups)
        for row in range(n)
    ]


def sizes(files: list[Listed]) -> list[int]:
    chunks = list(_chunks(files))
    assert [file for chunk in chunks for file in chunk] == files
    return list(map(len, chunks))


def test_groups_stay_whole():
    assert sizes(cells(100, 100, 7)) == [100, 100, 7]
    assert sizes(cells(*[10] * 20)) == [70, 70, 60]
    assert CHUNK_CELLS == 64


def test_a_giant_group_is_divided_into_a_few_pieces():
    assert sizes(cells(3 * LEAST_PIECE)) == [LEAST_PIECE] * 3
    assert sizes(cells(5, 40 * LEAST_PIECE, 5)) == [5, *[10 * LEAST_PIECE] * MOST_PIECES, 5]


def test_files_between_cells():
    files = [Listed(b"%d.png" % at, 10, 0) for at in range(CHUNK + 3)]
    assert sizes([*cells(5), *files, *cells(70)]) == [5, CHUNK, 3, 70]
