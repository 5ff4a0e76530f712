"""Which logged name is what: ``val_loss``, ``eval/loss``, ``Loss/validation``, ``metrics/accuracy_top1`` and their kin.

A name is cut into words; a word can say the split (train, val, test), the quantity (loss, accuracy, learning rate) or
the aggregation (epoch, step, mean). What remains names a part of the loss (``box``) or a validation set (``g0``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from leakaudit.errors import ConfigError

Split = Literal["train", "val", "test"]
Quantity = Literal["loss", "accuracy", "lr"]

_WORDS_OF: dict[Split, tuple[str, ...]] = {
    "train": ("train", "training", "trn", "learn", "fit"),
    "val": ("val", "valid", "validation", "validate", "eval", "evaluation", "dev", "heldout", "holdout"),
    "test": ("test", "testing"),
}
_SPLIT_WORDS: dict[str, Split] = {word: split for split, of_split in _WORDS_OF.items() for word in of_split}
_AGGREGATION = {"epoch": 0, "": 1, "avg": 1, "mean": 1, "total": 2, "running": 3, "step": 4, "batch": 4, "iter": 4}
_NEUTRAL = {*_AGGREGATION, "metrics", "metric", "scalar", "scalars", "log", "history", "model", "categorical", "sparse"}
_NEUTRAL |= {"binary", "multiclass", "top1", "b"}


@dataclass(frozen=True, slots=True)
class Role:
    """What a name means; `rest` are the words that say neither split nor quantity nor aggregation."""

    quantity: Quantity
    split: Split | None
    rest: tuple[str, ...]
    rank: int


@dataclass(frozen=True, slots=True)
class ValSet:
    """Names that belong to one validation set; losses of several parts are summed."""

    name: str
    loss: tuple[str, ...]
    accuracy: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which names hold what."""

    epoch: str | None
    train_loss: tuple[str, ...]
    train_accuracy: str | None
    lr: str | None
    sets: tuple[ValSet, ...]
    notes: tuple[str, ...]


def words(name: str) -> list[str]:
    """The words of a name, in lower case.

    >>> words("metrics/accuracy_top1"), words("valLoss"), words("lr-Adam/pg1")
    (['metrics', 'accuracy', 'top1'], ['val', 'loss'], ['lr', 'adam', 'pg1'])
    """
    return re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())


def split_of(name: str) -> Split | None:
    """The split that a folder name says: ``train``, ``validation``, ``Loss_val``; None where it says none.

    >>> split_of("validation"), split_of("Loss_train"), split_of("run_1")
    ('val', 'train', None)
    """
    parts = words(name)
    return _SPLIT_WORDS.get(parts[-1]) if parts and len(parts) <= 2 else None


def role(name: str, split: Split | None = None) -> Role | None:
    """The role of a name, or None. `split` is what the place of the name says where the name itself does not."""
    parts = words(name)
    if "lr" in parts or "learning_rate" in "_".join(parts):
        return Role("lr", None, (), 0)
    if {"top5", "std", "smoothed", "runtime", "best"} & set(parts):
        return None
    quantity: Quantity
    if {"loss", "nll", "logloss", "mlogloss"} & set(parts):
        quantity = "loss"
    elif {"accuracy", "acc", "top1", "acc1"} & set(parts):
        quantity = "accuracy"
    else:
        return None
    for word in parts:
        split = _SPLIT_WORDS.get(word, split)
    measured = {"loss", "nll", "logloss", "mlogloss", "accuracy", "acc", "acc1"}
    rest = tuple(w for w in parts if w not in measured and w not in _SPLIT_WORDS and w not in _NEUTRAL)
    rank = max((_AGGREGATION[w] for w in parts if w in _AGGREGATION), default=_AGGREGATION[""])
    return Role(quantity, split, rest, rank)


def choose(
    names: Iterable[str], columns: Mapping[str, str], splits: Mapping[str, Split] | None = None
) -> Choice | None:
    """Find out which names hold what; None where there is neither a loss nor an accuracy among them.

    Parameters
    ----------
    names : iterable of str
        In the order of the file, which decides between equals.
    columns : mapping of str to str
        What the user said (`Options.columns`).
    splits : mapping of str to str, optional
        What the place of a name says about its split (TensorBoard's folder ``validation/``).

    Raises
    ------
    ConfigError
        The user named something that is not there.
    """
    names = list(names)
    for what, name in columns.items():
        if name not in names:
            raise ConfigError(f"--columns {what}={name}: there is no such name here; there are {_listed(names)}")
    taken = set(columns.values())
    roles = {name: found for name in names if name not in taken and (found := role(name, (splits or {}).get(name)))}
    held_out = _held_out(roles)
    notes = []
    if held_out == "test" and "val_loss" not in columns:
        notes.append("the only held-out set is called test; it is read as the validation set")
    train = {name: found for name, found in roles.items() if found.split in ("train", None)}
    val = {name: found for name, found in roles.items() if held_out and found.split == held_out}
    train_loss = (columns["train_loss"],) if "train_loss" in columns else _best(train, "loss")
    train_accuracy = columns.get("train_accuracy") or next(iter(_best(train, "accuracy")), None)
    sets = _sets(val, {roles[name].rest for name in train_loss if name in roles})
    if len(train_loss) > 1:
        notes.append(f"the training loss is the sum of {_listed(train_loss)}")
    if "val_loss" in columns or "val_accuracy" in columns:
        first = sets[0] if sets else ValSet("", (), None)
        loss = (columns["val_loss"],) if "val_loss" in columns else first.loss
        sets = (ValSet("", loss, columns.get("val_accuracy") or first.accuracy),)
    if not train_loss and not sets and train_accuracy is None:
        return None
    rates = [name for name, found in roles.items() if found.quantity == "lr"]
    epoch = columns.get("epoch") or next((n for n in names if words(n)[-1:] in (["epoch"], ["epochs"])), None)
    lr = columns.get("lr") or next(iter(rates), None)
    return Choice(epoch, train_loss, train_accuracy, lr, sets or (ValSet("", (), None),), tuple(notes))


def _held_out(roles: Mapping[str, Role]) -> Split | None:
    present = {found.split for found in roles.values() if found.quantity != "lr"}
    return next((split for split in ("val", "test") if split in present), None)


def _best(roles: Mapping[str, Role], quantity: Quantity) -> tuple[str, ...]:
    """The name of a quantity that says a split and no part, else one without a split, else its parts."""
    found = {name: role for name, role in roles.items() if role.quantity == quantity}
    whole = [name for name, role in found.items() if not role.rest]
    if whole:
        return (min(whole, key=lambda name: (found[name].split is None, found[name].rank)),)
    labelled = [name for name, role in found.items() if role.split] or list(found)
    if quantity == "accuracy":
        return tuple(labelled[:1])
    least: dict[tuple[str, ...], str] = {}
    for name in sorted(labelled, key=lambda name: found[name].rank):
        least.setdefault(found[name].rest, name)
    return tuple(name for name in labelled if name in least.values())


def _sets(roles: Mapping[str, Role], parts: set[tuple[str, ...]]) -> tuple[ValSet, ...]:
    """One set without a name where there is a whole loss or the parts of the training loss; else one a name."""
    losses = {name: role for name, role in roles.items() if role.quantity == "loss"}
    accuracies = {name: role for name, role in roles.items() if role.quantity == "accuracy"}
    rests = list(dict.fromkeys(role.rest for role in (losses or accuracies).values()))
    if not rests:
        return ()
    if len(parts) > 1 and parts <= set(rests):
        loss = tuple(_least(losses, rest) for rest in rests if rest in parts)
        return (ValSet("", tuple(filter(None, loss)), next(iter(_best(accuracies, "accuracy")), None)),)
    if () in rests:
        rests = [()]
    sets = []
    for rest in rests:
        of_set = _least(accuracies, rest)
        if of_set is None and len(rests) == 1:
            of_set = next(iter(_best(accuracies, "accuracy")), None)
        loss_name = _least(losses, rest)
        sets.append(ValSet(" ".join(rest) if len(rests) > 1 else "", (loss_name,) if loss_name else (), of_set))
    return tuple(sets)


def _least(roles: Mapping[str, Role], rest: tuple[str, ...]) -> str | None:
    """The name with these remaining words that is aggregated best."""
    of_rest = [name for name, role in roles.items() if role.rest == rest]
    return min(of_rest, key=lambda name: roles[name].rank, default=None)


def _listed(names: Iterable[str], most: int = 12) -> str:
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
