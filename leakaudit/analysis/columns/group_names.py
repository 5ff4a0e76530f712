"""Columns whose names say that rows belong together: ``patient_id``, ``subject#``, ``users``."""

from __future__ import annotations

from collections.abc import Sequence

STRONG_NAMES = frozenset(
    [
        "subject",
        "patient",
        "person",
        "participant",
        "user",
        "speaker",
        "session",
        "recording",
        "video",
        "household",
        "donor",
        "animal",
        "individual",
    ]
)
"""Column names, in the singular and without an ending such as ``id``, that say plainly what belongs together."""

ID_NAMES = frozenset(
    [
        "group",
        "camera",
        "scene",
        "site",
        "station",
        "device",
        "case",
        "study",
        "family",
        "sequence",
        "track",
        "clip",
        "writer",
    ]
)
"""Names that do so only with such an ending: ``scene`` may be a kind of scene, ``scene_id`` names one."""

_ID_ENDINGS = ("identifier", "number", "index", "code", "key", "id", "no", "nr", "#")


def columns_named_like_groups(columns: Sequence[str]) -> list[str]:
    """The columns whose names say that rows belong together.

    >>> columns_named_like_groups(["age", "subject#", "PatientID", "scene", "scene_id", "test_time", "users"])
    ['subject#', 'PatientID', 'scene_id', 'users']
    """
    found = []
    for column in columns:
        plain = "".join(character for character in column.lower() if character.isalnum() or character == "#")
        stem = next((plain.removesuffix(end) for end in _ID_ENDINGS if plain.endswith(end) and plain != end), plain)
        singular = {stem, stem.removesuffix("s"), plain, plain.removesuffix("s")}
        if singular & STRONG_NAMES or (stem != plain and {stem, stem.removesuffix("s")} & ID_NAMES):
            found.append(column)
    return found
