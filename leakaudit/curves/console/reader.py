"""Console output: of Keras, PaddlePaddle, PyTorch loops, nanoGPT, Hugging Face, fastai, skorch and boosting libraries.

Values that are drawn as a progress bar or in brackets as a mean so far count as they stood last in their epoch; values
of single batches are averaged.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from leakaudit.curves import boosting, records
from leakaudit.curves.build import About
from leakaudit.curves.console.boosted import Boosted, boosted
from leakaudit.curves.console.screen import shown
from leakaudit.curves.console.transcript import Style, Transcript, transcript
from leakaudit.curves.names import choose
from leakaudit.curves.options import Options, of_sets
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Source, conflict_note, without_conflicts
from leakaudit.errors import ConfigError
from leakaudit.history import History

ABOUTS: dict[Style, About] = {
    "keras": About("keras-console", "epoch_mean"),
    "dictionaries": About("hf-console", "window_mean"),
    "estimated": About("console", "eval_end"),
    "table": About("console-table", "epoch_mean"),
    "lines": About("console", "epoch_mean"),
}
HUGGING_FACE = frozenset(["grad_norm", "learning_rate", "eval_loss", "eval_runtime"])
"""Names that its Trainer prints."""

BOOSTED = replace(boosting.ABOUT, format="boosting-console")


def sniff(source: Source) -> bool:
    """Text with names and values in which a loss or an accuracy is recognised."""
    return source.text is not None and source.json is None and holds(source.text)


def holds(text: str) -> bool:
    """Whether there is a history in a text."""
    rounds, said, _ = _parsed(text)
    return rounds is not None or choose(dict.fromkeys(name for row in said.rows for name in row.values), {}) is not None


def read(source: Source, options: Options) -> list[History]:
    """One history a validation set, or one a part where epochs start again."""
    return of_text(source, options, source.text or "")


def of_text(source: Source, options: Options, text: str, run: str = "") -> list[History]:
    """The histories of a text, such as one cell of a notebook printed."""
    rounds, said, n_conflicts = _parsed(text)
    notes = conflict_note(n_conflicts)
    if rounds is not None:
        found = boosting.histories(source, BOOSTED, options, rounds.sets, rounds.rounds, notes)
        return [replace(history, run=" ".join(filter(None, (run, history.run)))) for history in found]
    if options.train_set is not None:
        raise ConfigError(f"--train-set does not apply to {source.shown}: no sets of a boosting library are in it")
    found = records.histories(source, _about(said), options, said.rows, run, [*notes, *_notes(said)])
    return of_sets(found, options, source)


def _about(said: Transcript) -> About:
    """By the style of most lines; fastai's tables show a moving average."""
    style: Style = max(said.styles, key=lambda style: (said.styles[style], style != "lines"), default="lines")
    if "estimated" in said.styles:
        style = "estimated"
    about = ABOUTS[style]
    columns = [list(row.values) for row in said.rows]
    if style == "dictionaries" and not any(HUGGING_FACE & set(names) for names in columns):
        return ABOUTS["lines"]
    if style == "table" and any(
        names[:3] == ["epoch", "train_loss", "valid_loss"] and "time" in names for names in columns
    ):
        return replace(about, format="fastai-table", train_loss_kind="ema")
    return about


def _notes(said: Transcript) -> list[str]:
    notes = []
    if "estimated" in said.styles:
        notes.append(
            "lines `step …: train loss …, val loss …` are taken for losses of the same weights in evaluation mode"
        )
    if said.bare:
        notes.append("values called train and val, and nothing else, are taken for losses")
    if said.n_after:
        notes.append("what was evaluated after the bar of an epoch was full is read as the test set")
    return notes


@lru_cache(maxsize=4)
def _parsed(text: str) -> tuple[Boosted | None, Transcript, int]:
    """Rounds of boosting, else a transcript; and how many places git could not merge."""
    lines, n_conflicts = without_conflicts(shown(text))
    rounds = boosted(lines)
    return rounds, Transcript() if rounds is not None else transcript(lines), n_conflicts


READER = Reader(
    "console",
    "console text with loss: …, val_loss: …",
    sniff,
    read,
    ("columns", "train_set", "val_sets"),
)
