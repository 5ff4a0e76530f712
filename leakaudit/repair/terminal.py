"""A new split in a terminal: how large, how far from the wish, what was kept together, what the checks say of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from leakaudit.render.terminal.report import ICONS, STYLES, WIDEST
from leakaudit.render.terminal.screen import Screen

if TYPE_CHECKING:
    from rich.text import Text

    from leakaudit.repair.split import NewSplit

CLASSES = 6
"""Classes shown: those whose shares differ most between the splits."""


def show_split(new: NewSplit, written: Sequence[Path], stream: TextIO) -> None:
    """Print what was made; colour where the stream is a terminal that wants it."""
    from rich.console import Console

    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    screen = Screen(min(console.width, WIDEST), console.encoding)
    for line in _lines(new, written, screen):
        line.rstrip()
        console.print(line, no_wrap=True, overflow="ignore", crop=False, highlight=False)


def _lines(new: NewSplit, written: Sequence[Path], screen: Screen) -> Iterator[Text]:
    n, data = len(new.whole), new.whole.dataset
    unit = {"image": "pictures", "table": "rows", "file": "files"}[data.kind]
    if new.is_proven:
        mood, said = "passed", "nothing of one split is in another"
    else:
        mood, said = "error", f"{new.remaining:,} pairs of one split and another are still the same"
    yield from screen.wrapped((f"{ICONS[mood]} New split of {data.root}: {said}", STYLES[mood]), hanging=2)  # type: ignore[index]
    together = n - new.units.n
    yield from screen.wrapped(
        f"{n:,} {unit} in {new.units.n:,} units: {together:,} go with another one"
        if together
        else f"{n:,} {unit}, each by itself",
        indent=2,
    )
    yield from screen.wrapped("")
    width = max(map(len, new.names))
    total = max(sum(new.sizes.values()), 1)
    for (name, size), wish in zip(new.sizes.items(), new.shares, strict=True):
        yield from screen.wrapped(f"{name:{width}}  {size:>9,}  {size / total:6.1%}, wished {wish:.1%}", indent=2)
    for why, left in new.left_out.items():
        yield from screen.wrapped(f"left out: {left:,} ({why})", indent=2)
    yield from screen.wrapped("")
    for why, links in sorted(new.units.links.items()):
        yield from screen.wrapped(f"Kept together by {why}: {links:,} {'pair' if links == 1 else 'pairs'}", indent=2)
    if new.strata.names:
        yield from _classes(new, screen)
    for note in new.notes:
        yield from screen.wrapped(note, indent=2)
    times = "once" if new.rounds == 1 else f"{new.rounds} times"
    asked = ", ".join(each.code for each in new.outcomes)
    yield from screen.wrapped(f"Asked about the result, {times}: {asked}", indent=2)
    skipped = [each for each in new.outcomes if each.status in ("skipped", "inconclusive", "errored")]
    for each in skipped:
        yield from screen.wrapped(f"{each.code} {each.status}: {each.reason}", indent=4)
    yield from screen.wrapped(f"Written: {', '.join(map(str, written))}", indent=2)


def _classes(new: NewSplit, screen: Screen) -> Iterator[Text]:
    shares = new.class_shares()
    spread = {name: max(found.values()) - min(found.values()) for name, found in shares.items()}
    worst = max(spread.values())
    kind = {"class": "classes", "labels": "labels", "quantity": "bins of the quantity"}[new.strata.kind]
    yield from screen.wrapped(
        f"Shares of the {len(shares):,} {kind} differ between splits by {100 * worst:.1f} points at most", indent=2
    )
    for name in sorted(spread, key=lambda each: (-spread[each], each))[:CLASSES] if worst >= VISIBLE else ():
        row = "  ".join(f"{split} {share:.1%}" for split, share in shares[name].items())
        yield from screen.wrapped(f"{name}: {row}", indent=4)


VISIBLE = 0.005
"""Difference of shares from which on they are shown one by one."""
