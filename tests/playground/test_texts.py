"""The catalogues of other languages: whole, true to their texts, and compiled."""

from __future__ import annotations

import ast
import re

import pytest

from playground import texts

PLACES = re.compile(r"%\(\w+\)[sd]|</?\w+>")


@pytest.fixture(params=texts.catalogues(), ids=lambda source: source.parent.parent.name)
def catalogue(request):
    return texts.translated(request.param)


def test_there_is_another_language():
    assert [source.parent.parent.name for source in texts.catalogues()] == ["zh_Hans"]


@pytest.mark.parametrize("source", texts.catalogues(), ids=lambda path: path.parent.parent.name)
def test_every_text_of_templates_and_code_is_translated(source):
    assert len(texts.used()) > 700
    assert texts.missing(source) == []


def test_what_is_put_into_a_text_is_in_its_translation(catalogue):
    plurals = dict(texts.used())
    for text, translation in catalogue.items():
        there = set(PLACES.findall(translation))
        assert there in (
            set(PLACES.findall(text)),
            set(PLACES.findall(plurals.get(text) or text)),
        ), text


def test_compiling_makes_what_django_reads(settings, tmp_path, client, monkeypatch):
    source = texts.catalogues()[0]
    copy = tmp_path / "zh_Hans" / "LC_MESSAGES" / "django.po"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(source.read_bytes())
    monkeypatch.setattr(texts, "LOCALE", tmp_path)
    assert texts.compile_all() == [copy.with_suffix(".mo")]
    assert texts.compile_all() == []
    assert copy.with_suffix(".mo").stat().st_size > 1000


def test_no_text_is_translated_while_modules_are_read():
    """It would have the language of the first request for ever: `gettext_lazy` is for that."""
    found = [
        f"{path.relative_to(texts.ROOT)}:{line}"
        for path in sorted((texts.ROOT / "playground").rglob("*.py"))
        for line in _translated_at_once(ast.parse(path.read_text()))
    ]
    assert found == []


def _translated_at_once(module):
    eager = {
        alias.asname or alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if alias.name in ("gettext", "ngettext")
    }
    later = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    left = list(module.body)
    while left:
        node = left.pop()
        if isinstance(node, later):
            continue
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in eager:
            yield node.lineno
        left.extend(ast.iter_child_nodes(node))
