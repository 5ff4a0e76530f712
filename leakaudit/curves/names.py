"""Which logged name is what: ``val_loss``, ``eval/loss``, ``Loss/validation``, ``metrics/accuracy_top1`` and their kin.

The one naming engine of all readers. A name is cut into words; a word can say the split (train, val, test), the
quantity (loss, accuracy, learning rate) or the aggregation (epoch, step, mean). What remains names a part of the loss
(``box``) or a validation set (``g0``). Where nothing is called a loss, another measure of error (``rmse``) serves as
one; where nothing is called an accuracy, another score (mAP, F1, AUC) does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from leakaudit.errors import ConfigError

Split = Literal["train", "val", "test"]
Quantity = Literal["loss", "accuracy", "lr"]

_WORDS_OF: dict[Split, tuple[str, ...]] = {
    "train": ("train", "training", "trn", "tr", "learn", "fit", "trainset"),
    "val": (
        *("val", "valid", "validation", "validate", "vali", "validating", "vl", "valset"),
        *("eval", "evaluation", "evaluate", "evaluating", "dev", "heldout", "holdout"),
    ),
    "test": ("test", "testing", "tst", "te", "testset"),
}
SPLIT_WORDS: dict[str, Split] = {word: split for split, of_split in _WORDS_OF.items() for word in of_split}
_AGGREGATION = {
    **{"epoch": 0, "": 1, "avg": 1, "mean": 1, "average": 1, "total": 2, "overall": 2, "all": 2, "running": 3},
    **{"step": 4, "batch": 4, "iter": 4},
}
_NEUTRAL = {*_AGGREGATION, "metrics", "metric", "scalar", "scalars", "log", "history", "model", "categorical", "sparse"}
_NEUTRAL |= {
    "binary",
    "multiclass",
    "top1",
    "b",
    "set",
    "is",
    "list",
    "hist",
    "score",
    "value",
    "values",
    "s",
    "acc1",
    "current",
    "cur",
}
_NEVER = {"top5", "top3", "top10", "std", "smoothed", "runtime", "best", "min", "max", "scale", "unscaled", "weight"}
_NEVER |= {"time", "improvement", "last", "prev", "previous", "patience", "lowest", "highest", "delta", "norm"}
_LOSSES = {"loss", "nll", "logloss", "mlogloss"}
_ACCURACIES = {"accuracy", "acc", "top1"}
ERRORS_AS_LOSS = (
    "cost",
    "objective",
    "xent",
    "crossentropy",
    "ce",
    "bce",
    "rmse",
    "mse",
    "mae",
    "l2",
    "l1",
    "mape",
    "perplexity",
    "ppl",
)
"""What serves as the loss where nothing is called one; the first that both splits have."""

ERRORS_AS_LOSS_SHOWN = {word: word.upper() if len(word) <= 4 and word != "cost" else word for word in ERRORS_AS_LOSS}
SCORES = ("mAP50-95", "mAP", "mAP50", "AP", "F1", "AUC", "mIoU", "IoU", "Dice", "R2", "BLEU")
"""What serves as the accuracy where nothing is called one, in this order."""

_ONE_WORD = {"f1": "F1", "f1score": "F1", "fscore": "F1", "auc": "AUC", "auroc": "AUC", "miou": "mIoU", "iou": "IoU"}
_ONE_WORD |= {"jaccard": "IoU", "dice": "Dice", "r2": "R2", "bleu": "BLEU"}
_SINGULAR = {
    "losses": "loss",
    "accuracies": "accuracy",
    "accs": "acc",
    "lrs": "lr",
    "errors": "error",
    "epochs": "epoch",
}
_GLUED = re.compile(
    r"(train|training|trn|tr|valid|validation|val|test|eval|dev)(loss|losses|acc|accs|accuracy|accuracies|error|f1|auc)"
)
_STEP_WORDS = ("step", "steps", "iter", "iters", "iteration", "iterations", "round", "update", "updates")


@dataclass(frozen=True, slots=True)
class Role:
    """What a name means.

    Parameters
    ----------
    rest : tuple of str
        The words that say neither split nor quantity nor aggregation.
    rank : int
        How it is aggregated; the least is preferred.
    kind : str, default ""
        "" where it is called a loss or an accuracy; else what stands in for one, such as ``rmse`` or ``mAP``.
    is_error : bool, default False
        A rate of errors that stands for an accuracy: one minus it.
    """

    quantity: Quantity
    split: Split | None
    rest: tuple[str, ...]
    rank: int
    kind: str = ""
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class ValSet:
    """Names that belong to one held-out set; losses of several parts are summed."""

    name: str
    loss: tuple[str, ...]
    accuracy: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which names hold what.

    Parameters
    ----------
    sets : tuple of ValSet
        At least one; without names where nothing is held out.
    test : ValSet or None
        A third set beside training and validation.
    metric : str
        What the accuracies are: ``accuracy``, or the score that stands in for it.
    errors : frozenset of str
        Names among the accuracies that hold rates of errors.
    unused : tuple of str
        Names that nothing was made of, in the order of the file.
    """

    epoch: str | None
    train_loss: tuple[str, ...]
    train_accuracy: str | None
    lr: str | None
    sets: tuple[ValSet, ...]
    notes: tuple[str, ...]
    step: str | None = None
    test: ValSet | None = None
    metric: str = "accuracy"
    errors: frozenset[str] = frozenset()
    unused: tuple[str, ...] = ()


def words(name: str) -> list[str]:
    """The words of a name, in lower case and in the singular.

    >>> words("metrics/accuracy_top1"), words("valLoss"), words("lr-Adam/pg1")
    (['metrics', 'accuracy', 'top1'], ['val', 'loss'], ['lr', 'adam', 'pg1'])
    >>> words("train_losses"), words("Acc@1"), words("valloss"), words("metrics/mAP50-95(B)")
    (['train', 'loss'], ['top1'], ['val', 'loss'], ['metrics', 'map50', '95', 'b'])
    """
    text = name.replace("mAP", "map").replace("mIoU", "miou").replace("IoU", "iou")
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", text).lower()
    text = re.sub(r"(?:acc|prec|precision|accuracy)(?:uracy)?@(\d+)", r"top\1", text)
    text = re.sub(r"\btop[\s@-](\d+)", r"top\1", text.replace("_top", " top")).replace("held out", "heldout")
    found: list[str] = []
    for word in re.findall(r"[^\W_]+", text):
        glued = _GLUED.fullmatch(word)
        found += [_SINGULAR.get(part, part) for part in (glued.groups() if glued else (word,))]
    return found


def split_of(name: str) -> Split | None:
    """The split that a folder name says: ``train``, ``validation``, ``Loss_val``; None where it says none.

    >>> split_of("validation"), split_of("Loss_train"), split_of("run_1")
    ('val', 'train', None)
    """
    parts = words(name)
    return SPLIT_WORDS.get(parts[-1]) if parts and len(parts) <= 2 else None


def is_epoch(name: str) -> bool:
    """Whether a name counts epochs."""
    return words(name)[-1:] == ["epoch"] or name.strip().lower() == "ep"


def is_step(name: str) -> bool:
    """Whether a name counts steps: ``step``, ``global_step``, ``iteration``, ``current_steps``."""
    parts = words(name)
    return bool(parts) and parts[-1] in _STEP_WORDS and not {"total", "max", "per", "num"} & set(parts)


@lru_cache(maxsize=4096)
def role(name: str, split: Split | None = None) -> Role | None:
    """The role of a name, or None. `split` is what the place of the name says where the name itself does not."""
    parts = words(name)
    if any(re.fullmatch(r"lr\d*", word) for word in parts) or "learning_rate" in "_".join(parts):
        return Role("lr", None, (), 0)
    if _NEVER & set(parts):
        return None
    for word in parts:
        split = SPLIT_WORDS.get(word, split)
    rest = tuple(w for w in parts if w not in SPLIT_WORDS and w not in _NEUTRAL)
    rank = max((_AGGREGATION[w] for w in parts if w in _AGGREGATION), default=_AGGREGATION[""])
    return _called_so(parts, split, rest, rank) or _standing_in(parts, split, rest, rank)


def _called_so(parts: Sequence[str], split: Split | None, rest: tuple[str, ...], rank: int) -> Role | None:
    """The role of what is called a loss or an accuracy."""
    if _LOSSES & set(parts):
        alone = rank + 5 * ("nll" in parts and "loss" in parts)  # fairseq logs both; the loss is the objective
        return Role("loss", split, _without(rest, _LOSSES), alone)
    if _ACCURACIES & set(parts):
        return Role("accuracy", split, _without(rest, _ACCURACIES), rank)
    return None


def _standing_in(parts: Sequence[str], split: Split | None, rest: tuple[str, ...], rank: int) -> Role | None:
    """The role of what can stand for a loss or an accuracy."""
    if "error" in parts and {"rate", "class"} & set(parts):
        return Role("accuracy", split, _without(rest, {"error", "rate", "class"}), rank, "accuracy", is_error=True)
    if score := _score(parts):
        return Role("accuracy", split, (), rank, score)
    if kind := next((word for word in ERRORS_AS_LOSS if word in parts), ""):
        return Role("loss", split, _without(rest, {kind, "error"}), rank, kind)
    return None


def _without(rest: tuple[str, ...], said: set[str]) -> tuple[str, ...]:
    return tuple(word for word in rest if word not in said)


def _score(parts: Sequence[str]) -> str:
    """The score that a name says: ``mAP50-95`` of ``metrics/mAP_0.5:0.95``; "" for none, and for classes or sizes."""
    joined = "_".join(parts)
    if re.search(r"(^|_)(map|ap)(?=\d|_|$)", joined):
        if re.search(r"map_?(50_95|0_5_0_95)", joined):
            return "mAP50-95"
        after = (
            re.split(r"(?:^|_)m?ap", joined, maxsplit=1)[1].strip("_").removesuffix("_b").removesuffix("b").strip("_")
        )
        if after in ("50", "0_5"):
            return "mAP50"
        return ("mAP" if "map" in parts else "AP") if not after else ""
    return next((_ONE_WORD[word] for word in parts if word in _ONE_WORD), "")


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
            raise ConfigError(f"--columns {what}={name}: there is no such name here; there are {listed(names)}")
    taken = set(columns.values())
    roles = {name: found for name in names if name not in taken and (found := role(name, (splits or {}).get(name)))}
    roles, notes, metric = _settled(roles)
    held_out = _held_out(roles)
    if held_out == "test" and "val_loss" not in columns:
        notes.append("the only held-out set is called test; it is read as the validation set")
    train = {name: found for name, found in roles.items() if found.split in ("train", None)}
    val = {name: found for name, found in roles.items() if held_out and found.split == held_out}
    test = {name: found for name, found in roles.items() if held_out == "val" and found.split == "test"}
    train_loss = (columns["train_loss"],) if "train_loss" in columns else _best(train, "loss")
    train_accuracy = columns.get("train_accuracy") or _train_accuracy(train, val)
    parts = {roles[name].rest for name in train_loss if name in roles}
    twin = roles[train_accuracy].rest if train_accuracy in roles else ()
    sets = _sets(val, parts, twin)
    if train_accuracy in roles and roles[train_accuracy].split is None and not any(s.accuracy for s in sets):
        name = train_accuracy
        sets, train_accuracy = _score_of_validation(roles, name, sets, train_loss)
        if train_accuracy is None and not roles[name].kind:
            notes.append(f"{name} says no split; it is taken for validation's")
    third = next(iter(_sets(test, parts, twin)), None)
    if len(train_loss) > 1:
        notes.append(f"the training loss is the sum of {listed(train_loss)}")
    if "val_loss" in columns or "val_accuracy" in columns:
        first = sets[0] if sets else ValSet("", (), None)
        loss = (columns["val_loss"],) if "val_loss" in columns else first.loss
        sets = (ValSet("", loss, columns.get("val_accuracy") or first.accuracy),)
    if not train_loss and not sets and train_accuracy is None:
        return None
    rates = [name for name, found in roles.items() if found.quantity == "lr"]
    choice = Choice(
        epoch=columns.get("epoch") or next((n for n in names if is_epoch(n)), None),
        train_loss=train_loss,
        train_accuracy=train_accuracy,
        lr=columns.get("lr") or next(iter(rates), None),
        sets=sets or (ValSet("", (), None),),
        notes=tuple(notes),
        step=next((n for n in names if is_step(n)), None),
        test=third,
        metric="accuracy" if columns.get("val_accuracy") else metric,
        errors=frozenset(name for name, found in roles.items() if found.is_error),
    )
    return replace(choice, unused=_unused(names, choice))


def used(choice: Choice) -> list[str]:
    """All names of a choice."""
    one = [choice.epoch, choice.step, choice.train_accuracy, choice.lr]
    for of_set in (*choice.sets, *([choice.test] if choice.test else [])):
        one += [*of_set.loss, of_set.accuracy]
    return list(dict.fromkeys(name for name in (*choice.train_loss, *one) if name))


def _unused(names: Sequence[str], choice: Choice) -> tuple[str, ...]:
    there = set(used(choice))
    return tuple(name for name in dict.fromkeys(names) if name.strip() and name not in there)


def _settled(roles: dict[str, Role]) -> tuple[dict[str, Role], list[str], str]:
    """One kind of loss and one kind of accuracy: what is called so, else the first that stands in, said in a note."""
    notes: list[str] = []
    metric = "accuracy"
    losses = {name: found for name, found in roles.items() if found.quantity == "loss"}
    if losses and all(found.kind for found in losses.values()):
        kind = _stand_in(losses, ERRORS_AS_LOSS)
        notes.append(f"nothing is called a loss; {ERRORS_AS_LOSS_SHOWN[kind]} is taken for it")
        roles = {name: found for name, found in roles.items() if found.quantity != "loss" or found.kind == kind}
    else:
        roles = {name: found for name, found in roles.items() if found.quantity != "loss" or not found.kind}
    scores = {name: found for name, found in roles.items() if found.quantity == "accuracy"}
    if scores and not any(not found.kind and (found.split or not found.rest) for found in scores.values()):
        scores = {name: found for name, found in scores.items() if found.kind} or scores
    if scores and all(found.kind for found in scores.values()):
        rates = {name: found for name, found in scores.items() if found.is_error}
        metric = "accuracy" if rates else _stand_in(scores, SCORES)
        if rates:
            notes.append("accuracies are one minus the rate of errors")
        roles = {name: found for name, found in roles.items() if found.quantity != "accuracy" or found.kind == metric}
    else:
        roles = {name: found for name, found in roles.items() if found.quantity != "accuracy" or not found.kind}
    return roles, notes, metric


def _stand_in(found: Mapping[str, Role], order: Sequence[str]) -> str:
    """The kind that most splits have; among equals the first in the order."""
    splits = {kind: {role.split for role in found.values() if role.kind == kind} for kind in order}
    return max(order, key=lambda kind: (len(splits[kind]), -order.index(kind)))


def _train_accuracy(train: Mapping[str, Role], val: Mapping[str, Role]) -> str | None:
    """The training accuracy; one of a part (``fast_rcnn/cls_accuracy``) only where validation has the same."""
    name = next(iter(_best(train, "accuracy")), None)
    if name is None or not train[name].rest or train[name].split:
        return name
    twins = {found.rest for found in val.values() if found.quantity == "accuracy"}
    return next((n for n, found in train.items() if found.quantity == "accuracy" and found.rest in twins), None)


def _score_of_validation(
    roles: Mapping[str, Role], name: str | None, sets: tuple[ValSet, ...], train_loss: tuple[str, ...]
) -> tuple[tuple[ValSet, ...], str | None]:
    """A score without a split is validation's, where the losses say their splits: ``metrics/mAP50``, ``accuracy``."""
    said = any(roles[loss].split == "train" for loss in train_loss if loss in roles)
    held_out = any(of_set.loss for of_set in sets)
    kind = roles[name].kind if name is not None and name in roles else ""
    if name is None or not ((said and held_out) or (kind and not roles[name].is_error)):
        return sets, name
    first = sets[0] if sets else ValSet("", (), None)
    return (replace(first, accuracy=name), *sets[1:]), None


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


def _sets(roles: Mapping[str, Role], parts: set[tuple[str, ...]], twin: tuple[str, ...] = ()) -> tuple[ValSet, ...]:
    """One set without a name where there is a whole loss or the parts of the training loss; else one a name.

    `twin` are the remaining words of the training accuracy: of several accuracies, the one called alike is compared.
    """
    losses = {name: role for name, role in roles.items() if role.quantity == "loss"}
    accuracies = {name: role for name, role in roles.items() if role.quantity == "accuracy"}
    rests = list(dict.fromkeys(role.rest for role in (losses or accuracies).values()))
    if not rests:
        return ()
    alike = _least(accuracies, twin) or next(iter(_best(accuracies, "accuracy")), None)
    if len(parts) > 1 and parts & set(rests) and (parts <= set(rests) or () not in rests):
        loss = tuple(_least(losses, rest) for rest in rests if rest in parts)
        return (ValSet("", tuple(filter(None, loss)), alike),)
    if () in rests:
        rests = [()]
    elif not losses and len(rests) > 1 and twin in rests:
        rests = [twin]
    sets = []
    for rest in rests:
        of_set = _least(accuracies, rest)
        if of_set is None and len(rests) == 1:
            of_set = alike
        loss_name = _least(losses, rest)
        sets.append(ValSet(" ".join(rest) if len(rests) > 1 else "", (loss_name,) if loss_name else (), of_set))
    return tuple(sets)


def _least(roles: Mapping[str, Role], rest: tuple[str, ...]) -> str | None:
    """The name with these remaining words that is aggregated best."""
    of_rest = [name for name, role in roles.items() if role.rest == rest]
    return min(of_rest, key=lambda name: roles[name].rank, default=None)


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names in one line, the first `most` of them."""
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
