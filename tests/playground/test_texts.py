"""The catalogues of other languages: whole, true to their texts, and compiled."""

from __future__ import annotations

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
