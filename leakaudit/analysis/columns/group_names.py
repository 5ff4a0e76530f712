"""Names of columns that say that rows belong together: ``patient_id``, ``customer``, ``users``."""

from __future__ import annotations

from collections.abc import Sequence

from leakaudit.sources.names import words

STRONG_NAMES = frozenset(
    [
        *("subject", "subj", "patient", "person", "participant", "user", "individual", "respondent", "volunteer"),
        *("customer", "borrower", "applicant", "policyholder", "cardholder", "student", "pupil", "household"),
        *("speaker", "session", "recording", "video", "donor", "animal", "lesion", "nodule", "specimen", "biopsy"),
        *("molecule", "compound", "smiles", "inchi", "inchikey", "protein", "mrn"),
    ]
)
"""Column names, in the singular and without an ending such as ``id``, that say plainly what belongs together."""

VALUE_NAMES = frozenset(
    [
        *("account", "client", "member", "employee", "player", "author", "artist", "reviewer", "driver", "vehicle"),
        *("device", "order", "invoice", "basket", "transaction", "trip", "encounter", "admission", "episode"),
        *("clip", "scan", "song", "album"),
    ]
)
"""Names that do so where the values bear it out: ``device`` may say which one, or ``mobile`` and ``desktop``."""

ID_NAMES = frozenset(
    [
        *("group", "camera", "scene", "site", "station", "case", "study", "family", "sequence", "track", "writer"),
        *("cust", "acct", "pt", "hadm", "stay", "visit", "series", "slide", "volume", "drug", "context", "thread"),
        *("conversation", "dialogue", "dialog", "utterance", "document", "doc", "passage", "question", "query"),
        *VALUE_NAMES,
    ]
)
"""Names that do so with such an ending: ``scene`` may be a kind of scene, ``scene_id`` names one."""

_WITHOUT_TIME = frozenset(
    [
        *("order", "invoice", "basket", "transaction", "trip", "encounter", "admission", "episode", "visit", "stay"),
        *("hadm", "molecule", "compound", "smiles", "inchi", "inchikey", "protein", "drug", "question", "query"),
        *("document", "doc", "passage", "context", "song", "album", "utterance"),
    ]
)  # one event each, or a thing to which nothing happens

_ID_ENDINGS = ("identifier", "number", "index", "code", "guid", "uuid", "hash", "key", "uid", "id", "no", "nr", "#")
_PLAIN_ENDINGS = ("identifier", "guid", "uuid", "hash", "key", "uid", "id")
_NAMED = "name"


def columns_named_like_groups(columns: Sequence[str]) -> list[str]:
    """The columns whose names alone say that rows belong together.

    >>> columns_named_like_groups(["age", "subject#", "PatientID", "scene", "scene_id", "test_time", "users"])
    ['subject#', 'PatientID', 'scene_id', 'users']
    >>> columns_named_like_groups(["customer_id", "order", "order_no", "anon_user_id", "speaker_name", "new_customer"])
    ['customer_id', 'order_no', 'anon_user_id', 'speaker_name']
    """
    return [column for column in columns if _says_group(column)]


def may_name_groups(column: str) -> bool:
    """Whether the name says so where the values bear it out: one of `VALUE_NAMES` without an ending.

    >>> may_name_groups("device"), may_name_groups("Orders"), may_name_groups("screen")
    (True, True, False)
    """
    return bool(VALUE_NAMES & _forms(_plain(column)))


def live_in_time(column: str) -> bool:
    """Whether what a column groups by has a time of its own, as a user has, and a single order or a molecule has not.

    >>> live_in_time("customer_id"), live_in_time("order_no"), live_in_time("smiles"), live_in_time("Drug")
    (True, False, False, False)
    """
    named = bool(columns_named_like_groups([column])) or may_name_groups(column)
    return named and not _WITHOUT_TIME & _forms(_stem(column) or _plain(column))


def may_count(column: str) -> bool:
    """Whether whole numbers under this name may count things, as the plural without an ending does: ``members``."""
    return column.lower().endswith("s") and _stem(column) is None


def _says_group(column: str) -> bool:
    plain, stem = _plain(column), _stem(column)
    if STRONG_NAMES & _forms(plain):
        return True
    if stem is None:
        return bool(STRONG_NAMES & _forms(plain.removesuffix(_NAMED)))
    if (STRONG_NAMES | ID_NAMES) & _forms(stem):
        return True
    parts = words(column)  # ``anon_user_id``: the word before a plain ending
    return len(parts) > 2 and parts[-1] in _PLAIN_ENDINGS and bool(STRONG_NAMES & _forms(parts[-2]))


def _plain(column: str) -> str:
    return "".join(character for character in column.lower() if character.isalnum() or character == "#")


def _stem(column: str) -> str | None:
    """The name without an ending that says identifier; None where it has none."""
    plain = _plain(column)
    return next((plain.removesuffix(end) for end in _ID_ENDINGS if plain.endswith(end) and plain != end), None)


def _forms(word: str) -> set[str]:
    return {word, word.removesuffix("s")}
