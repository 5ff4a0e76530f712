"""The page on what the checks can see, and its charts, from the stored result of ``benchmarks/power.py``."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

from leakaudit.render.html.chart import Chart, Curve, chart

HERE = Path(__file__).resolve().parent
RESULT = HERE.parent / "benchmarks" / "results" / "power.json"

STYLE = """
svg{color-scheme:light dark;font:12px system-ui,sans-serif}
text{fill:#555}.title{font-size:13px;font-weight:600}.grid{stroke:#8884}
path{fill:none;stroke-width:2}.c0{stroke:#1b6ca8}.c1{stroke:#c2571a}.c2{stroke:#2e7d4f}.c3{stroke:#7a4fa3}
text.c0{fill:#1b6ca8}text.c1{fill:#c2571a}text.c2{fill:#2e7d4f}text.c3{fill:#7a4fa3}text.label{stroke:none}
@media(prefers-color-scheme:dark){text{fill:#aaa}}
""".replace("\n", "")


def power_files() -> dict[Path, str]:
    """The page and its charts; nothing where the benchmark has not been run."""
    if not RESULT.exists():
        return {}
    rows = json.loads(RESULT.read_text(encoding="utf-8"))
    kinds: dict[tuple[str, str], list[dict[str, object]]] = {}
    for row in rows:
        kinds.setdefault((row["code"], row["what"]), []).append(row)
    lines = [
        "# What the checks can see",
        "",
        "Share of trials in which a check reports what was planted, by the size of the effect and the rows of the "
        "validation split (train has four times as many). Effect 0 is a clean table: its share is that of false "
        "alarms. Generated from `benchmarks/results/power.json`, which `python benchmarks/power.py` writes.",
        "",
    ]
    files: dict[Path, str] = {}
    for (code, what), curves in kinds.items():
        curves.sort(key=lambda row: int(str(row["n"])))
        name = f"{code}-{_slug(what)}.svg"
        drawn = _chart(f"{code}: {what}", curves)
        if drawn is None:
            continue
        files[HERE / "power" / name] = drawn
        lines += [f"## [{code}](checks/{code}.md): {what}", "", f"![Detection rate by effect](power/{name})", ""]
        effects = curves[0]["effects"]
        assert isinstance(effects, list)
        lines += [f"| rows | {' | '.join(f'{effect:g}' for effect in effects)} |", "|---" * (len(effects) + 1) + "|"]
        for row in curves:
            rates = row["rates"]
            assert isinstance(rates, list)
            lines.append(f"| {row['n']:,} | {' | '.join(f'{rate:.0%}' for rate in rates)} |")
        lines += ["", f"Effect: {curves[0]['unit']}; {curves[0]['trials']} trials each.", ""]
    files[HERE / "power.md"] = "\n".join(lines).rstrip() + "\n"
    return files


def _chart(title: str, rows: list[dict[str, object]]) -> str | None:
    effects = rows[0]["effects"]
    assert isinstance(effects, list)
    curves = [Curve(f"{row['n']:,} rows", f"c{i % 4}", list(row["rates"])) for i, row in enumerate(rows)]  # type: ignore[call-overload]
    laid_out = chart(title, str(rows[0]["unit"]), effects, curves)
    return None if laid_out is None else _svg(laid_out)


def _svg(drawn: Chart) -> str:
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {drawn.width:g} {drawn.height:g}" role="img">',
        f"<title>{escape(drawn.title)}</title><style>{STYLE}</style>",
        f'<text class="title" x="{drawn.left:g}" y="12">{escape(drawn.title)}</text>',
    ]
    for tick in drawn.y_ticks:
        parts.append(
            f'<path class="grid" d="M{drawn.left:g} {tick.at:g}H{drawn.right:g}" style="stroke-width:1"/>'
            f'<text x="{drawn.left - 6:g}" y="{tick.at + 4:g}" text-anchor="end">{escape(tick.label)}</text>'
        )
    for tick in drawn.x_ticks:
        parts.append(
            f'<text x="{tick.at:g}" y="{drawn.bottom + 16:g}" text-anchor="middle">{escape(tick.label)}</text>'
        )
    middle = (drawn.left + drawn.right) / 2
    parts.append(f'<text x="{middle:g}" y="{drawn.bottom + 32:g}" text-anchor="middle">{escape(drawn.x_label)}</text>')
    for line in drawn.lines:
        parts.append(f'<path class="{line.style}" d="{line.path}"/>')
        if line.label_y is not None:
            parts.append(
                f'<text class="label {line.style}" x="{drawn.right + 6:g}" y="{line.label_y + 4:g}">'
                f"{escape(line.label)}</text>"
            )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _slug(what: str) -> str:
    return "-".join("".join(letter if letter.isalnum() else " " for letter in what).split())
