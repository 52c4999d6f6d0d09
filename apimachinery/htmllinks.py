"""Links in HTML pages that a proxy hands on: rewritten as apimachinery's proxy transport does.

The page is cut into tokens as golang.org/x/net/html does it; start tags are written anew, all else
stays as it is. Takes time in proportion to the page, whatever is in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

# The attributes that hold a URL, by element.
_LINKS: dict[str, frozenset[str]] = {
    name: frozenset(attributes.split())
    for name, attributes in {
        **dict.fromkeys(("a", "area", "base", "link"), "href"),
        **dict.fromkeys(("audio", "embed", "script", "source"), "src"),
        **dict.fromkeys(("blockquote", "del", "ins", "q"), "cite"),
        **dict.fromkeys(("frame", "iframe"), "longdesc src"),
        "applet": "codebase",
        "body": "background",
        "button": "formaction",
        "command": "icon",
        "form": "action",
        "head": "profile",
        "html": "manifest",
        "img": "longdesc src usemap",
        "input": "src usemap formaction",
        "object": "classid codebase data usemap",
        "video": "poster src",
    }.items()
}
# What is in these is no HTML.
_RAW = frozenset(
    {"iframe", "noembed", "noframes", "plaintext", "script", "style", "textarea", "title", "xmp"}
)
_SPACE = r"[ \n\r\t\f]"
_NAME = re.compile(r"[a-zA-Z][^ \n\r\t\f/>]*")
_TAG_END = re.compile(r"[ \n\r\t\f/]*>")
_ATTRIBUTE = re.compile(
    rf"[ \n\r\t\f/]*(=?[^ \n\r\t\f/>=]*){_SPACE}*"
    rf"(?:={_SPACE}*(?:\"([^\"]*)\"|'([^']*)'|([^ \n\r\t\f>\"'][^ \n\r\t\f>]*|(?=>))))?"
)
# Go's own choice among the names of a character.
_ESCAPES = str.maketrans(
    {"&": "&amp;", "'": "&#39;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "\r": "&#13;"}
)
Attributes = list[tuple[str, str]]


def rewrite(page: bytes, link: Callable[[str], str]) -> bytes:
    """Return a page with other links: `link` is given each, and returns what it becomes."""
    text = page.decode("utf-8", "surrogateescape")
    return "".join(_tokens(text, link)).encode("utf-8", "surrogateescape")


def _tokens(text: str, link: Callable[[str], str]) -> list[str]:
    written: list[str] = []
    done = at = 0  # what is written, and what is looked at
    while (at := text.find("<", at)) >= 0:
        named = _NAME.match(text, at + 1)
        if named is None:
            at = _passed_over(text, at)
            continue
        found = _tag(text, named.end())
        written.append(text[done:at])
        if found is None:
            return written  # a tag that does not end is none, and what follows is lost
        attributes, end = found
        name = named.group().lower()
        written.append(_written(name, attributes, link, closed=text[end - 2] == "/"))
        done = at = end
        if name in _RAW:
            at = _raw_end(text, name, at)
    written.append(text[done:])
    return written


def _passed_over(text: str, at: int) -> int:
    """Return where an end tag, a comment or a lone bracket ends."""
    if text.startswith("<!--", at):
        end, mark = text.find("-->", at + 4), "-->"
    elif text.startswith(("<!", "<?"), at):
        end, mark = text.find(">", at), ">"
    elif text.startswith("</", at) and (named := _NAME.match(text, at + 2)):
        found = _tag(text, named.end())
        return len(text) if found is None else found[1]
    else:
        return at + 1
    return len(text) if end < 0 else end + len(mark)


def _tag(text: str, at: int) -> tuple[Attributes, int] | None:
    """Read what follows a tag's name; return it and where the tag ends, None where it does not."""
    attributes: Attributes = []
    while not (end := _TAG_END.match(text, at)):
        found = _ATTRIBUTE.match(text, at)
        if found is None or found.end() == at:
            return None
        name, *values = found.groups()
        if name:
            attributes.append((name.lower(), next((v for v in values if v is not None), "")))
        at = found.end()
    return attributes, end.end()


def _written(name: str, attributes: Attributes, link: Callable[[str], str], *, closed: bool) -> str:
    links = _LINKS.get(name, frozenset())
    shown = [name]
    for key, escaped in attributes:
        value = unescape(escaped)
        value = link(value) if key in links else value
        shown.append(f'{key}="{value.translate(_ESCAPES)}"')
    return f"<{' '.join(shown)}{'/' if closed else ''}>"


def _raw_end(text: str, name: str, at: int) -> int:
    """Return where the end tag of an element begins whose content is no HTML."""
    found = re.compile(rf"</{name}(?=[ \n\r\t\f/>])", re.IGNORECASE).search(text, at)
    return len(text) if found is None or name == "plaintext" else found.start()
