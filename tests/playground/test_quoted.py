"""Every sentence of the site about a trouble is quoted by a test; these sentences are found here.

They are what something is refused with, and what of templates and code says no. How an object is,
and why, is told case by case: in tests/playground/test_summaries.py, history and why.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from playground import texts

# Say how an object of the cluster is and why, or what a template holds: nothing of the site fails.
TELLING = (
    "cluster_templates",
    "history/sentences",
    "objects/relations",
    "objects/summary",
    "placement",
    "why",
)
SAYS_NO = re.compile(
    r"\b(no|not|none|nobody|nothing|never|cannot|too|wrong|lost|fail(s|ed)?|refuse[sd]?|denied|gone"
    r"|missing|deleted|already|unknown|older|larger|forbidden|broken|only|needs?|must|could)\b",
    re.IGNORECASE,
)
REFUSING = {"refuse", "add_error", "_problem", "_refuse"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# What is put into a sentence, or stands around its words.
BETWEEN = re.compile(r"%\(\w+\)[sd]|%[sd]|<[^>]*>")


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", re.sub("[\u2019']", "", text.lower()))


def runs(sentence: str) -> list[str]:
    """Return each four words of a sentence that stand beside each other, or all where fewer do."""
    rows = [row for part in BETWEEN.split(sentence) if len(row := words(part)) > 1]
    return [" ".join(row[at : at + 4]) for row in rows for at in range(max(1, len(row) - 3))]


def translated(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and getattr(one.func, "id", "") in texts.FUNCTIONS:
            yield from (part.value for part in one.args[:1] if isinstance(part, ast.Constant))


def refusals(function: ast.AST) -> Iterator[str]:
    """Yield the sentences that a function raises or refuses with, also by way of a name."""
    named: dict[str, list[str]] = {}
    said: list[ast.AST] = []
    for one in ast.walk(function):
        if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name):
            named.setdefault(one.targets[0].id, []).extend(translated(one.value))
        elif isinstance(one, ast.Raise) and one.exc is not None:
            said.append(one.exc)
        elif isinstance(one, ast.Call):
            name = getattr(one.func, "attr", getattr(one.func, "id", ""))
            said.extend(one.args if name in REFUSING else ())
    for one in said:
        yield from translated(one)
        for part in ast.walk(one):
            yield from named.get(getattr(part, "id", ""), [])


def sentences() -> dict[str, str]:
    """Return the sentences about troubles, each with its plural."""
    found: dict[str, str] = {}
    kept = set()
    for path in (texts.ROOT / "playground").rglob("*.py"):
        module = ast.parse(path.read_text())
        for function in ast.walk(module):
            if isinstance(function, FUNCTIONS):
                kept.update(refusals(function))
        name = str(path.relative_to(texts.ROOT / "playground"))
        if not name.startswith(TELLING):
            found |= dict(texts.of_module(module))
    found |= dict(texts.of_templates(sorted(texts.TEMPLATES.rglob("*.html"))))
    about = {text: more for text, more in found.items() if SAYS_NO.search(text)}
    return about | dict.fromkeys(kept - set(about), "")


def test_every_sentence_about_a_trouble_is_quoted_by_a_test():
    found = sentences()
    assert len(found) > 120
    files = [*(texts.ROOT / "tests").rglob("*.py"), *(texts.ROOT / "ui/test").rglob("*.mjs")]
    quotes = f" {' '.join(word for file in files for word in words(file.read_text()))} "

    def quoted(*forms: str) -> bool:
        rows = [row for form in forms for row in runs(form)]
        return not rows or any(f" {row} " in quotes for row in rows)

    assert sorted(text for text, plural in found.items() if not quoted(text, plural)) == []
