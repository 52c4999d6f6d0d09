"""Links in pages that a proxy hands on."""

from __future__ import annotations

import time

import pytest

from apimachinery.htmllinks import rewrite


def shown(page: str) -> str:
    return rewrite(page.encode(), lambda url: f"/p{url}" if url[:1] == "/" else url).decode()


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        ('<a href="/x">y</a>', '<a href="/p/x">y</a>'),
        ("<A HREF=/x CLASS='b c'>y</A>", '<a href="/p/x" class="b c">y</A>'),
        ("<img  src = '/x' />", '<img src="/p/x"/>'),
        ("<input disabled src=/x>", '<input disabled="" src="/p/x">'),
        ('<a title="/x" href="x">', '<a title="/x" href="x">'),
        ('<form action="/x?a=1&amp;b=2">', '<form action="/p/x?a=1&amp;b=2">'),
        ("<a href='/\"&#39;'>", '<a href="/p/&#34;&#39;">'),
        ("<a href= >", '<a href="">'),
        ("<br><p>1 < 2 & 3</p>", "<br><p>1 < 2 & 3</p>"),
        ("<!doctype html><?x <a>?>", "<!doctype html><?x <a>?>"),
        ('<!-- <a href="/x"> -->', '<!-- <a href="/x"> -->'),
        (
            '<script src="/x">"<a href=\'/y\'>"</SCRIPT ><a href="/z">',
            '<script src="/p/x">"<a href=\'/y\'>"</SCRIPT ><a href="/p/z">',
        ),
        ("<title><a href='/x'></title>", "<title><a href='/x'></title>"),
        ('text <a href="/x', "text "),
        ("text < ", "text < "),
        ("</a b='>' >ü<b>", "</a b='>' >ü<b>"),
        ("", ""),
    ],
)
def test_a_page(page: str, wanted: str) -> None:
    assert shown(page) == wanted


def test_what_is_no_text_stays_as_it_is() -> None:
    assert rewrite(b"\xff<a href=/\xfe>", lambda url: url) == b'\xff<a href="/\xfe">'


@pytest.mark.parametrize(
    "part",
    [
        "<",
        "<a",
        "<a ",
        "<a b='",
        '<a b="',
        "<a =",
        "</a",
        "<!--",
        "<script>",
        "<a b=c>",
        "</",
        "<!",
    ],
)
def test_no_page_takes_long(part: str) -> None:
    """What takes its square would take minutes."""
    began = time.process_time()
    shown(part * (400_000 // len(part)))
    assert time.process_time() - began < 5
