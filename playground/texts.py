"""The site's texts in other languages: compile the catalogues, and tell what they lack.

    python -m playground.texts compile     locale/*/LC_MESSAGES/django.po -> .mo, for `make setup`
    python -m playground.texts missing     texts of templates and code that a catalogue has not

Neither needs the programs of GNU gettext.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
TEMPLATES = ROOT / "templates"
FUNCTIONS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}
# A text, and its plural where it has one.
Message = tuple[str, str]


def catalogues() -> list[Path]:
    """Return the sources of all languages."""
    return sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))


def read(source: Path) -> Catalog:
    """Read a catalogue. Raises PoFileError where it makes no sense."""
    with source.open("rb") as file:
        return read_po(file, abort_invalid=True)


def compile_all() -> list[Path]:
    """Write what Django reads, wherever it is older than its source."""
    made = []
    for source in catalogues():
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with target.open("wb") as file:
            write_mo(file, read(source))
        made.append(target)
    return made


def missing(source: Path) -> list[str]:
    """Return the texts that a catalogue does not translate."""
    return sorted({text for text, _ in used()} - set(translated(source)))


def translated(source: Path) -> dict[str, str]:
    """Return each text that a catalogue translates, and how; of a plural the last form."""
    found = {}
    for message in read(source):
        text = message.id if isinstance(message.id, str) else message.id[0]
        forms = [message.string] if isinstance(message.string, str) else list(message.string or ())
        if text and forms and all(forms):
            found[text] = str(forms[-1])
    return found


def used() -> set[Message]:
    """Return the texts that templates and code have."""
    return {
        *of_templates(sorted(TEMPLATES.rglob("*.html"))),
        *of_code(sorted((ROOT / "playground").rglob("*.py"))),
    }


def of_code(files: Iterable[Path]) -> Iterator[Message]:
    """Yield the texts of calls of gettext."""
    for file in files:
        yield from of_module(ast.parse(file.read_text()))


def of_module(module: ast.AST) -> Iterator[Message]:
    """Yield the texts of calls of gettext in what was parsed."""
    for node in ast.walk(module):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
        if isinstance(name, ast.Name):
            name = name.id
        texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
        if name in FUNCTIONS and texts and isinstance(texts[0], str):
            plural = texts[1] if len(texts) > 1 and str(name).startswith("ng") else ""
            yield texts[0], str(plural)


def of_templates(files: Iterable[Path]) -> Iterator[Message]:
    """Yield the texts of translate and blocktranslate."""
    from django.template.loader import get_template  # noqa: PLC0415 - Django is set up by then
    from django.templatetags.i18n import (  # noqa: PLC0415
        BlockTranslateNode,
        TranslateNode,
    )
    from django.utils.translation import trim_whitespace  # noqa: PLC0415

    for file in files:
        loaded: Any = get_template(str(file.relative_to(TEMPLATES)))
        template = loaded.template
        for node in template.nodelist.get_nodes_by_type(TranslateNode):
            literal = node.filter_expression.var
            yield str(getattr(literal, "literal", literal)), ""
        for node in template.nodelist.get_nodes_by_type(BlockTranslateNode):
            parts = [node.render_token_list(part)[0] for part in (node.singular, node.plural)]
            texts = [trim_whitespace(part) if node.trimmed else part for part in parts]
            yield texts[0], texts[1]


def main() -> None:
    """Do what the command line says."""
    what = sys.argv[1:] or ["compile"]
    if what == ["compile"]:
        compile_all()
        return
    import django  # noqa: PLC0415 - only to read templates

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "playground.settings")
    django.setup()
    for source in catalogues():
        for text in missing(source):
            sys.stdout.write(f"{source.parent.parent.name}: {text!r}\n")


if __name__ == "__main__":
    main()
