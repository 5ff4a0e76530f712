"""Writes what is generated from the code: the check pages, their index, and the blocks of the README.

``python docs/generate.py`` writes; ``--check`` only says what is stale and exits 1.
"""

from __future__ import annotations

import os
import re
import sys
from io import StringIO
from pathlib import Path

import click
from power_page import power_files

from leakaudit import audit
from leakaudit.checks import CHECKS
from leakaudit.checks.base import Check
from leakaudit.cli import COMMANDS, cli
from leakaudit.cli.help import HELP_ALL
from leakaudit.render import FORMATS
from leakaudit.settings.declared import settings
from leakaudit.settings.schema import FILE_NAME as CONFIG_SCHEMA
from leakaudit.settings.schema import schema_text
from leakaudit.settings.toml_text import toml

ROOT = Path(__file__).resolve().parent.parent


def page(check: Check) -> str:
    """The documentation page of one check, from its docstring."""
    info = check.info
    applies = {"image": "pictures", "table": "tables and text"}
    lines = [f"# {info.code} {info.slug}", "", f"{info.title}.", ""]
    lines += [f"Default severity: **{info.severity}**. Applies to {' and '.join(applies[k] for k in check.kinds)}.", ""]
    for title, text in info.sections.items():
        lines += [f"## {title}", "", text.replace("``", "`"), ""]
    return "\n".join(lines).rstrip() + "\n"


def catalogue(link: str) -> str:
    """A Markdown table of all checks; `link` is formatted with the code."""
    lines = ["| code | name | severity | what it says |", "|---|---|---|---|"]
    for check in CHECKS:
        info = check.load().info
        lines.append(f"| [{info.code}]({link.format(info.code)}) | {info.slug} | {info.severity} | {info.title} |")
    return "\n".join(lines)


def help_of(name: str, *, whole: bool = False) -> str:
    """What ``leakaudit NAME --help`` prints at 80 columns; with `whole`, ``--help-all`` where there is one."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    context = click.Context(command, info_name=f"leakaudit {name}", terminal_width=80, max_content_width=80)
    context.meta[HELP_ALL] = whole
    return f"```text\n{command.get_help(context)}\n```"


def settings_table() -> str:
    """A Markdown table of all settings: key, variable, default, meaning."""
    lines = ["| key | variable | default | meaning |", "|---|---|---|---|"]
    for setting in settings():
        default = "" if setting.default is None or setting.default in ((), {}) else f"`{toml(setting.default)}`"
        meaning = setting.doc.replace("|", "\\|")
        lines.append(f"| `{setting.key}` | {f'`{setting.env}`' if setting.env else ''} | {default} | {meaning} |")
    return "\n".join(lines)


def with_block(text: str, name: str, content: str) -> str:
    """Replace what stands between the markers of the block `name`."""
    pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
    new, n = re.subn(pattern, lambda found: f"{found[1]}{content}\n{found[2]}", text, flags=re.DOTALL)
    if n != 1:
        raise SystemExit(f"the block {name} must stand exactly once")
    return new


def generated() -> dict[Path, str]:
    """Every generated file and its content."""
    files = {ROOT / "docs" / "checks" / f"{check.code}.md": page(check.load()) for check in CHECKS}
    files[ROOT / "docs" / "checks" / "index.md"] = (
        f"# The checks\n\nGenerated from the checks' own docstrings; `leakaudit explain CODE` prints the same.\n\n"
        f"{catalogue('{}.md')}\n"
    )
    readme = ROOT / "README.md"
    text = with_block(readme.read_text(encoding="utf-8"), "catalogue", catalogue("docs/checks/{}.md"))
    files[readme] = with_block(text, "help-scan", help_of("scan"))
    cli_page = "# Command line\n\nGenerated from `--help`.\n"
    for name in COMMANDS:
        cli_page += f"\n## leakaudit {name}\n\n{help_of(name, whole=True)}\n"
    files[ROOT / "docs" / "cli.md"] = cli_page
    configuration = ROOT / "docs" / "configuration.md"
    files[configuration] = with_block(configuration.read_text(encoding="utf-8"), "settings", settings_table())
    for folder in ("docs/schema", "leakaudit/settings"):
        files[ROOT / folder / CONFIG_SCHEMA] = schema_text()
    files |= power_files()
    return files


def refresh_example() -> None:
    """The scan of the demo data, for the README and reports/; not checked, as scores vary with the decoder."""
    os.chdir(ROOT)
    report = audit("fixtures/demo", use_cache=False, previews=True)
    written = {form: StringIO() for form in ("text", "html", "json")}
    for form, stream in written.items():
        FORMATS[form](report, stream)
    for form in ("html", "json"):
        (ROOT / "reports" / f"example.{form}").write_text(written[form].getvalue(), encoding="utf-8", newline="\n")
    readme = ROOT / "README.md"
    block = f"```text\n$ leakaudit scan fixtures/demo\n{written['text'].getvalue().rstrip()}\n```"
    text = with_block(readme.read_text(encoding="utf-8"), "example", block)
    readme.write_text(text, encoding="utf-8", newline="\n")


def main() -> None:
    """Write what is stale, or say it and exit 1."""
    if "--check" not in sys.argv:
        refresh_example()
    files = generated()
    pages = ROOT / "docs" / "checks"
    stale = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    extra = sorted(set(pages.glob("*.md")) - set(files)) if pages.exists() else []
    if "--check" in sys.argv:
        for path in [*stale, *extra]:
            click.echo(f"stale: {path.relative_to(ROOT)} (run python docs/generate.py)")
        raise SystemExit(1 if stale or extra else 0)
    pages.mkdir(exist_ok=True)
    (ROOT / "docs" / "schema").mkdir(exist_ok=True)
    (ROOT / "docs" / "power").mkdir(exist_ok=True)
    for path in extra:
        path.unlink()
    for path in stale:
        path.write_text(files[path], encoding="utf-8", newline="\n")
        click.echo(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
