"""TensorBoard event files: TFRecord framing and the few protobuf fields of scalars, without the official package.

Why not the official package: ``tensorboard`` brings a web server, gRPC, protobuf and Werkzeug (about 20 MB and nine
distributions at the time of writing) for what takes 150 lines here: two framings, both frozen formats, and six fields.
The smaller readers around know only ``simple_value`` and miss the tensor-encoded scalars that TensorFlow 2 writes; this
one reads both. What it gives up: anything but scalars (pictures, histograms, graphs are skipped unread).

A record is ``uint64 length · uint32 crc(length) · data · uint32 crc(data)``, little-endian, with the masked CRC-32C of
each. A run that was killed leaves a record that ends early or fails its checksum: everything before it counts.

References
----------
https://www.tensorflow.org/tutorials/load_data/tfrecord (framing and mask) · RFC 3720, appendix B.4 (CRC-32C vectors) ·
``tensorflow/core/util/event.proto``, ``summary.proto``, ``tensor.proto`` (field numbers)
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

LARGEST = 2**18
"""Bytes: a longer record holds pictures or a graph, no scalar, and is skipped."""

LONGEST = 2**31
"""Bytes: no event is longer; such a length means that the file is broken."""

_HEADER = struct.Struct("<QI")
_CRC = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Scalar:
    """One logged number."""

    tag: str
    step: int
    wall_time: float
    value: float


class TruncatedError(Exception):
    """The file ends within a record or fails a checksum; what was read before stays valid."""


def is_event_file(head: bytes) -> bool:
    """Whether a file begins with a record whose length matches its checksum."""
    if len(head) < _HEADER.size:
        return False
    length, crc = _HEADER.unpack_from(head)
    return bool(length < LONGEST and crc == masked_crc32c(head[:8]))


def scalars(file: BinaryIO) -> Iterator[Scalar]:
    """All scalars of an event file, in the order in which they were written.

    Raises
    ------
    TruncatedError
        At the first record that is cut off or damaged.
    """
    for record in _records(file):
        yield from _event(record)


def _records(file: BinaryIO) -> Iterator[bytes]:
    at = file.seek(0, 2)
    size = at
    file.seek(0)
    while head := file.read(_HEADER.size):
        if len(head) < _HEADER.size:
            raise TruncatedError("the file ends within the length of a record")
        length, crc = _HEADER.unpack(head)
        if crc != masked_crc32c(head[:8]) or length >= LONGEST:
            raise TruncatedError("the length of a record fails its checksum")
        if file.tell() + length + _CRC.size > size:
            raise TruncatedError("the file ends within a record")
        if length > LARGEST:
            file.seek(length + _CRC.size, 1)
            continue
        data = file.read(length)
        if _CRC.unpack(file.read(_CRC.size))[0] != masked_crc32c(data):
            raise TruncatedError("a record fails its checksum")
        yield data


# --- CRC-32C --------------------------------------------------------------------------------------------------


def _table() -> tuple[int, ...]:
    entries = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        entries.append(crc)
    return tuple(entries)


_TABLE = _table()


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli), reflected polynomial 0x82F63B78."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def masked_crc32c(data: bytes) -> int:
    """The checksum as TFRecord stores it: rotated right by 15 bits, plus 0xa282ead8."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


# --- protobuf -------------------------------------------------------------------------------------------------

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
Field = tuple[int, int, bytes]
"""Number, wire type, and the raw value: 8 or 4 bytes, the content, or the varint as 8 little-endian bytes."""


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise TruncatedError("a record holds no valid event")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7


def _fields(data: bytes) -> Iterator[Field]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield number, wire, (value & (2**64 - 1)).to_bytes(8, "little")
            continue
        if wire == _BYTES:
            length, at = _varint(data, at)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise TruncatedError("a record holds no valid event")
        if at + length > len(data):
            raise TruncatedError("a record holds no valid event")
        yield number, wire, data[at : at + length]
        at += length


def _event(data: bytes) -> Iterator[Scalar]:
    """Event: 1 wall_time double, 2 step int64, 5 summary."""
    wall_time, step, summaries = 0.0, 0, []
    for number, wire, raw in _fields(data):
        if (number, wire) == (1, _FIXED64):
            wall_time = struct.unpack("<d", raw)[0]
        elif (number, wire) == (2, _VARINT):
            step = int.from_bytes(raw, "little", signed=True)
        elif (number, wire) == (5, _BYTES):
            summaries.append(raw)
    for summary in summaries:
        for number, wire, raw in _fields(summary):
            if (number, wire) == (1, _BYTES) and (found := _value(raw)) is not None:
                yield Scalar(found[0], step, wall_time, found[1])


def _value(data: bytes) -> tuple[str, float] | None:
    """Summary.Value: 1 tag, 2 simple_value float, 8 tensor."""
    tag, value = "", None
    for number, wire, raw in _fields(data):
        if (number, wire) == (1, _BYTES):
            tag = raw.decode("utf-8", "replace")
        elif (number, wire) == (2, _FIXED32):
            value = struct.unpack("<f", raw)[0]
        elif (number, wire) == (8, _BYTES):
            value = _tensor(raw)
    return (tag, value) if value is not None else None


_CONTENT = {1: "<f", 2: "<d", 3: "<i", 4: "<B", 5: "<h", 6: "<b", 9: "<q", 17: "<H", 19: "<e", 22: "<I", 23: "<Q"}
"""DataType to the layout of one element in tensor_content."""
_BFLOAT16 = 14


def _tensor(data: bytes) -> float | None:
    """TensorProto with one number: 1 dtype, 2 shape, 4 content, 5 float, 6 double, 7 int, 10 int64, 13 half values."""
    dtype, content, listed, n_dims = 0, b"", None, 0
    for number, wire, raw in _fields(data):
        if (number, wire) == (1, _VARINT):
            dtype = int.from_bytes(raw, "little")
        elif (number, wire) == (2, _BYTES):
            n_dims = sum(1 for inner, _, _ in _fields(raw) if inner == 2)
        elif (number, wire) == (4, _BYTES):
            content = raw
        elif number in (5, 6, 7, 10, 13):
            listed = (number, wire, raw)
    if n_dims:
        return None
    if listed is not None:
        return _listed(*listed, dtype)
    if dtype == _BFLOAT16 and len(content) == 2:
        return float(struct.unpack("<f", b"\0\0" + content)[0])
    layout = _CONTENT.get(dtype)
    if layout is None or len(content) != struct.calcsize(layout):
        return None
    return float(struct.unpack(layout, content)[0])


def _listed(number: int, wire: int, raw: bytes, dtype: int) -> float | None:
    """A value of one of the typed lists, packed or not."""
    if number in (5, 6):
        layout = "<f" if number == 5 else "<d"
        return float(struct.unpack(layout, raw)[0]) if len(raw) == struct.calcsize(layout) else None
    if wire == _BYTES:
        value, end = _varint(raw, 0)
        if end != len(raw):
            return None
    else:
        value = int.from_bytes(raw, "little")
    if number == 13:  # the 16 bits of a half or a bfloat16
        bits = struct.pack("<H", value & 0xFFFF)
        return float(struct.unpack("<f", b"\0\0" + bits)[0] if dtype == _BFLOAT16 else struct.unpack("<e", bits)[0])
    return float(value - 2**64 if value >= 2**63 else value)
