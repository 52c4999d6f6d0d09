"""The libraries that every expression in Kubernetes has."""

from __future__ import annotations

from collections.abc import Sequence

from apimachinery.cel.functions import Overload
from apimachinery.cel.libs.arithmetic import ARITHMETIC
from apimachinery.cel.libs.authorizers import AUTHORIZERS
from apimachinery.cel.libs.conversions import CONVERSIONS
from apimachinery.cel.libs.formats import FORMATS
from apimachinery.cel.libs.list_changes import LIST_CHANGES
from apimachinery.cel.libs.lists import LISTS
from apimachinery.cel.libs.networks import NETWORKS
from apimachinery.cel.libs.optionals import OPTIONALS
from apimachinery.cel.libs.quantities import QUANTITIES
from apimachinery.cel.libs.regex import REGEX
from apimachinery.cel.libs.semvers import SEMVERS
from apimachinery.cel.libs.sets import SETS
from apimachinery.cel.libs.strings import STRINGS
from apimachinery.cel.libs.time_parts import TIME_PARTS
from apimachinery.cel.libs.urls import URLS

KUBERNETES: Sequence[Sequence[Overload]] = (
    ARITHMETIC,
    CONVERSIONS,
    TIME_PARTS,
    OPTIONALS,
    STRINGS,
    REGEX,
    LISTS,
    LIST_CHANGES,
    SETS,
    URLS,
    QUANTITIES,
    NETWORKS,
    FORMATS,
    SEMVERS,
    AUTHORIZERS,
)
