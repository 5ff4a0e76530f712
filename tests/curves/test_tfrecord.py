"""The event-file reader against vectors of the standard and against a writer of its own."""

from __future__ import annotations

import io
import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.curves.tfrecord import TruncatedError, crc32c, is_event_file, masked_crc32c, scalars


def varint(value):
    value &= 2**64 - 1
    out = bytearray()
    while True:
        out.append(value & 0x7F | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(out)


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def event(tag, step, value, *, tensor=None):
    body = field(8, tensor) if tensor is not None else b"\x15" + struct.pack("<f", value)
    summary = field(1, field(1, tag.encode()) + body)
    return b"\x09" + struct.pack("<d", 1.0) + b"\x10" + varint(step) + field(5, summary)


def record(data):
    head = struct.pack("<Q", len(data))
    return head + struct.pack("<I", masked_crc32c(head)) + data + struct.pack("<I", masked_crc32c(data))


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(reversed(range(32))), 0x113FDB5C),
    ],
)
def test_crc_vectors_of_rfc_3720(data, crc):
    assert crc32c(data) == crc


numbers = st.floats(width=32, allow_nan=False)
steps = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(st.tuples(st.text(), steps, numbers), max_size=8))
def test_what_was_written_is_read(points):
    data = b"".join(record(event(*point)) for point in points)
    found = [(scalar.tag, scalar.step, scalar.value) for scalar in scalars(io.BytesIO(data))]
    assert found == [(tag.encode(errors="replace").decode(), step, value) for tag, step, value in points]


@pytest.mark.parametrize(
    ("tensor", "value"),
    [
        (b"\x08\x01" + field(4, struct.pack("<f", 0.5)), 0.5),
        (b"\x08\x02" + field(4, struct.pack("<d", 0.1)), 0.1),
        (b"\x08\x13" + field(4, struct.pack("<e", 0.25)), 0.25),
        (b"\x08\x0e" + field(4, struct.pack("<f", 1.5)[2:]), 1.5),
        (b"\x08\x09" + field(4, struct.pack("<q", -3)), -3.0),
        (b"\x08\x01" + field(2, b"") + field(5, struct.pack("<f", 0.5)), 0.5),
        (b"\x08\x01\x2d" + struct.pack("<f", 0.5), 0.5),
        (b"\x08\x02" + field(6, struct.pack("<d", 0.1)), 0.1),
        (b"\x08\x03" + field(7, varint(-2)), -2.0),
        (b"\x08\x09\x50" + varint(7), 7.0),
        (b"\x08\x13" + field(13, varint(0x3400)), 0.25),
    ],
)
def test_scalars_as_tensors(tensor, value):
    (found,) = scalars(io.BytesIO(record(event("x", 1, 0.0, tensor=tensor))))
    assert found.value == value


def test_tensors_with_dimensions_are_no_scalars():
    tensor = b"\x08\x01" + field(2, field(2, b"\x08\x01")) + field(4, struct.pack("<f", 1.0))
    assert not list(scalars(io.BytesIO(record(event("x", 1, 0.0, tensor=tensor)))))


def test_every_cut_and_every_flipped_byte_is_noticed():
    whole = [record(event("loss", step, step / 4)) for step in range(3)]
    data = b"".join(whole)
    edges = {0, len(whole[0]), len(whole[0] + whole[1])}
    for cut in range(len(data)):
        found = []
        try:
            found.extend(scalars(io.BytesIO(data[:cut])))
            assert cut in edges
        except TruncatedError:
            assert cut not in edges
    for at in range(len(data)):
        damaged = bytearray(data)
        damaged[at] ^= 0x10
        with pytest.raises(TruncatedError):
            list(scalars(io.BytesIO(bytes(damaged))))


@given(st.binary(max_size=200))
def test_nothing_but_truncated_errors_from_any_record(data):
    with suppress(TruncatedError):
        list(scalars(io.BytesIO(record(data))))


def test_sniff():
    assert is_event_file(record(b"")[:64])
    assert not is_event_file(b"epoch,loss\n1,2\n")
    assert not is_event_file(b"")
