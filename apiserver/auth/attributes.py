"""What is asked for, and the answer: the terms in which authorization speaks.

`Attributes` are what k8s.io/apiserver's authorizers see of a request; a `Decision` says yes or
no, why, and which authorizer said so. `forbidden` turns a no into the refusal that clients read.
"""

from __future__ import annotations

from dataclasses import dataclass

from apimachinery.errors import Forbidden
from apimachinery.fields import FieldRequirement
from apimachinery.gvk import GroupResource
from apiserver.auth.user import User

# The API server neutralizes markup in refusals, since browsers may show them.
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


# Not frozen: that would take a microsecond of every request.
@dataclass(slots=True, unsafe_hash=True)
class Attributes:
    """One request as authorization sees it: who, what verb, on what. It is never changed.

    `fields` is the field selector of what reads or deletes many; no authorizer looks at labels.
    """

    user: User
    verb: str
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    resource_request: bool = True
    fields: tuple[FieldRequirement, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes or no; `reason` is the audit annotation's text, `by` names the authorizer.

    `denied` says that nobody further is asked: a no that is not just the lack of a yes.
    """

    allowed: bool
    reason: str
    by: str
    denied: bool = False


def forbidden(attributes: Attributes, reason: str = "") -> Forbidden:
    """Return the refusal of a request that no authorizer allowed."""
    why = describe(attributes).translate(_ESCAPED)
    if reason:
        why = f"{why}: {reason}"
    resource = GroupResource(attributes.group, attributes.resource)
    return Forbidden(resource, attributes.name, why)


def describe(attributes: Attributes) -> str:
    """Say in a sentence what the user cannot do."""
    who = f"User {quote(attributes.user.name)} cannot {attributes.verb}"
    if not attributes.resource_request:
        return f"{who} path {quote(attributes.path)}"
    resource = attributes.resource
    if attributes.subresource:
        resource = f"{resource}/{attributes.subresource}"
    where = (
        f"in the namespace {quote(attributes.namespace)}"
        if attributes.namespace
        else "at the cluster scope"
    )
    return f"{who} resource {quote(resource)} in API group {quote(attributes.group)} {where}"


def quote(text: str) -> str:
    """Print a string as Go's %q does."""
    if text.isalnum() and text.isascii():
        return f'"{text}"'
    return '"' + "".join(map(_quoted_character, text)) + '"'


_SHORT = {
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
    '"': '\\"', "\\": "\\\\",
}  # fmt: skip


def _quoted_character(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
