"""The lines of a run in their order as records: which epoch, which split, which values.

An epoch or step that a line names holds until the next. A split that a line begins with (``Test: [0/10] …``, ``Eval
begin…``) holds until the next split or epoch; where that line had values of its own (``Validation perplexity: 9.1``) it
ends with the next step as well, for training goes on there. After the bar of an epoch is full, another bar before the
next epoch is an evaluation of its own (``model.evaluate``), read as the test set.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from leakaudit.curves import records
from leakaudit.curves.console import grid
from leakaudit.curves.console.pairs import Pair, Parsed, parse
from leakaudit.curves.console.screen import is_bar
from leakaudit.curves.names import Split, role

_DATE = r"(?:\d{4}[-/]\d\d?[-/]\d\d?[T ]?|\d\d/\d\d )"
_TIME = r"\d\d?:\d\d:\d\d(?:[.,]\d+)?\S*(?: [AP]M\b)?"
_STAMP = re.compile(rf"^\W*{_DATE}?{_TIME}|^\W*\d{{4}}[-/]\d\d?[-/]\d\d?\S*|^[IWE]\d{{4}} \S+")
_EPOCH = re.compile(
    r"(?<![A-Za-z_/])(?<!best )(?<!last )(?:epoch|ep)(?:\s*\((?P<mode>\w+)\))?(?![A-Za-z_])[\s:#=\[('\"_]*"
    r"(?P<n>\d+(?:\.\d+)?)(?!\d|:\d\d)(?:\s*(?:/|of|out of)\s*\d+)?",
    re.IGNORECASE,
)
_STEP = re.compile(
    r"(?<![A-Za-z_/])(?P<name>global[_ ]?step|steps?|iter(?:ation)?|update)(?![A-Za-z_])[\s:#=\[('\"]*(?P<n>\d+)"
    r"(?P<of>\s*/\s*\d+)?(?![\w.]|\s*ms)",
    re.IGNORECASE,
)
_AVERAGED = re.compile(r"\bavg\b|\baveraged?\b", re.IGNORECASE)
_CURRENT = re.compile(r"\bcur metric\b")
"""How PaddleOCR calls what it measures on validation."""

_EVALUATED = re.compile(r"\bSaving dict for global step\b")
"""How TensorFlow's estimators begin the line of an evaluation."""

_LEADING = re.compile(r"^\W{0,3}(\d+)\s*/\s*(\d+)\b")
_OBJECT = re.compile(r"\{\s*['\"].*\}")
_WITHOUT_BAR = re.compile(r"^\s*(?:\d+/\d+)?\s*- \d+s(?:/epoch)?\b")
"""How Keras begins a line with ``verbose=2``."""

_BARE = re.compile(r"\b(train|training|val|valid|validation|test)(\s*[:=]\s*\d*\.\d)", re.IGNORECASE)
MOST_EPOCHS = 2_000
"""``[500/300000]`` at the beginning of a line counts steps, not epochs, from that many on."""

_SET_BY_STEP = re.compile(r"^\s*step \d+: train loss [\d.]+, val loss")
EPOCH, STEP = "epoch", "step"
LONGEST_OBJECT = 10_000
LABEL_WORDS = 6

Style = Literal["keras", "dictionaries", "estimated", "table", "lines"]


@dataclass(slots=True)
class Transcript:
    """What was read.

    Parameters
    ----------
    rows : list of Record
    styles : dict of Style to int
        How many lines of each style held values.
    names : dict of str to None
        Names with a separator in lines that held a loss or an accuracy.
    n_after : int
        Bars after the end of an epoch, read as the test set.
    bare : bool
        Values were called ``train`` and ``val``, nothing else.
    """

    rows: list[records.Record] = field(default_factory=list)
    styles: dict[Style, int] = field(default_factory=dict)
    n_after: int = 0
    bare: bool = False

    def add(self, row: records.Record, style: Style) -> None:
        """Add a record."""
        self.rows.append(row)
        self.styles[style] = self.styles.get(style, 0) + 1


@dataclass(slots=True)
class _State:
    epoch: float | None = None
    step: float | None = None
    split: Split | None = None
    valued: bool = False
    full: bool = False
    names: tuple[str, ...] | None = None

    def goes_on_to(self, step: float) -> None:
        """A later step ends the split that a line with values said."""
        if self.valued and self.step is not None and step > self.step:
            self.split, self.valued = None, False
        self.step = step


def transcript(lines: Sequence[str]) -> Transcript:
    """Read the lines; where none names an epoch or a step, one that begins with ``[3/10]`` is in epoch 3.

    Where nothing is called a loss or an accuracy, ``train=0.4 val=0.5`` are taken for losses.
    """
    found = _read(lines, leading=False)
    if not found.rows:
        found = _read([_BARE.sub(r"\1 loss\2", line) for line in lines], leading=False)
        found.bare = bool(found.rows)
    if found.rows and not any(EPOCH in row.values or STEP in row.values for row in found.rows):
        found = _read(lines, leading=True)
    return found


def _read(lines: Sequence[str], *, leading: bool) -> Transcript:
    found, state = Transcript(), _State()
    for text in lines:
        line = _STAMP.sub("", text)
        if not line.strip():
            continue
        if not (_dictionary(found, line) or _of_table(found, state, line)):
            _values(found, state, line, leading=leading)
    return found


def _dictionary(found: Transcript, line: str) -> bool:
    """``{'loss': 0.5, 'epoch': 1.0}``, as Hugging Face prints it."""
    match = _OBJECT.search(line)
    if match is None or len(match[0]) > LONGEST_OBJECT:
        return False
    value = _literal(match[0])
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        return False
    row = records.of_object(value)
    if any(role(name) is not None for name in row.values):
        found.add(row, "dictionaries")
    return True


def _literal(text: str) -> object:
    """A Python or JSON literal; nothing is evaluated."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        pass
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _of_table(found: Transcript, state: _State, line: str) -> bool:
    """A header, a rule, or a row of the table that the last header began."""
    names = grid.header(line)
    if names is not None:
        state.names = names
        return True
    if state.names is None or grid.is_rule(line):
        return False
    values = grid.row(line, state.names)
    if values is None:
        return False
    renamed = {_plain(name): value for name, value in values.items() if name}
    if EPOCH in renamed and math.isfinite(renamed[EPOCH]):
        state.epoch = renamed[EPOCH]
    elif state.epoch is not None:
        renamed[EPOCH] = state.epoch
    found.add(records.Record(renamed), "table")
    return True


def _plain(name: str) -> str:
    return EPOCH if name.lower() == EPOCH else STEP if name.lower() in ("step", "iter", "iteration") else name


def _values(found: Transcript, state: _State, line: str, *, leading: bool) -> None:
    """Names and values, and what the line says of epoch, step and split."""
    at_start = _LEADING.match(line)
    marked = _EPOCH.search(line)
    rest = line
    if marked:
        epoch = float(marked["n"])
        state.full = state.full and epoch == state.epoch
        state.epoch, state.split = epoch, parse(marked["mode"]).label if marked["mode"] else None
        rest = f"{line[: marked.start()]} | {line[marked.end() :]}"
    stepped = _STEP.search(rest)
    if stepped:
        state.goes_on_to(float(stepped["n"]))
        rest = f"{rest[: stepped.start()]} | {rest[stepped.end() :]}"
    if _CURRENT.search(rest) or _EVALUATED.search(line):
        state.split, state.valued = "val", True
    parsed = parse(rest, state.split)
    if parsed.label is not None and (parsed.pairs or len(line.split()) <= LABEL_WORDS or is_bar(line)):
        splits = {_split_of(pair) for pair in parsed.pairs}
        state.split = parsed.label if len(splits) < 2 else None  # a line on both splits says nothing of the next
        state.valued = bool(parsed.pairs) and not is_bar(line)
    values = _told(parsed)
    running = any(pair.running for pair in parsed.pairs) or _AVERAGED.search(rest) is not None
    split: Split | None = None
    if not values:
        if marked is None and stepped is None and parsed.label is None and at_start is None:
            return
        if at_start and leading:
            _count(state, at_start)
        return
    if leading and at_start:
        _count(state, at_start)
    bar = is_bar(line)
    if bar and at_start and state.split is None:
        split = _after_the_end(found, state, at_start, values)
    if state.epoch is not None:
        values[EPOCH] = state.epoch
    if state.step is not None and (stepped or state.epoch is None):
        values[STEP] = state.step
    keras = (bar and at_start is not None) or _WITHOUT_BAR.match(line) is not None
    estimated = _SET_BY_STEP.match(line) is not None
    style: Style = "keras" if keras else "estimated" if estimated else "lines"
    found.add(records.Record(values, split, running=running or bar), style)


def _count(state: _State, at_start: re.Match[str]) -> None:
    """What ``[3/10]`` at the beginning of a line counts."""
    if float(at_start[2]) > MOST_EPOCHS:
        state.step = float(at_start[1])
    else:
        state.epoch = float(at_start[1])


def _split_of(pair: Pair) -> Split | None:
    said = role(pair.name)
    return (said.split if said is not None else None) or pair.split


def _told(parsed: Parsed) -> dict[str, float]:
    """The values of a line, named with their splits; nothing where none of them is a loss or an accuracy."""
    values: dict[str, float] = {}
    useful = False
    for pair in parsed.pairs:
        said = role(pair.name)
        if said is not None and len(said.rest) > 2:
            continue
        apart = said is not None and said.quantity != "lr" and said.split is None and pair.split is not None
        name = f"{pair.split}/{pair.name}" if apart else pair.name
        if name.lower() in (EPOCH, STEP):
            continue
        useful = useful or (said is not None and said.quantity != "lr")
        values.setdefault(name, pair.value)
    return values if useful else {}


def _after_the_end(found: Transcript, state: _State, at_start: re.Match[str], values: dict[str, float]) -> Split | None:
    """The test set, for a bar that is drawn when that of the epoch is full already."""
    done, _, whole = at_start[0].strip(" \t[(").partition("/")
    if state.full and not any(said.split for name in values if (said := role(name)) is not None):
        found.n_after += 1
        return "test"
    state.full = state.full or done.strip() == whole.strip()
    return None
