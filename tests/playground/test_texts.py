"""The catalogues of other languages: whole for the frame, true to their texts, and compiled."""

from __future__ import annotations

import re

import pytest

from playground import texts

PLACES = re.compile(r"%\(\w+\)[sd]|</?\w+>")
FRAME = [
    texts.TEMPLATES / "base.html",
    texts.TEMPLATES / "problem.html",
    *sorted((texts.TEMPLATES / "parts").glob("*.html")),
    *sorted((texts.TEMPLATES / "workspace").glob("*.html")),
]


@pytest.fixture(params=texts.catalogues(), ids=lambda source: source.parent.parent.name)
def catalogue(request):
    return texts.translated(request.param)


def test_there_is_another_language():
    assert [source.parent.parent.name for source in texts.catalogues()] == ["zh_Hans"]


def test_the_frame_and_the_workspace_are_translated(catalogue):
    code = sorted((texts.ROOT / "playground" / "workspace").glob("*.py"))
    used = {*texts.of_templates(FRAME), *texts.of_code([texts.ROOT / "playground/pages.py", *code])}
    assert len(used) > 30
    assert sorted({text for text, _ in used} - set(catalogue)) == []


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
