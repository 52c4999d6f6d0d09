"""Bodies that are nested without end, or say more than they hold."""

from __future__ import annotations

import orjson
import pytest

from apiserver.endpoints import depth, yaml


def nested(levels: int, opening: bytes = b'{"a":', closing: bytes = b"}") -> bytes:
    return opening * levels + b"1" + closing * levels


@pytest.mark.parametrize("brackets", [(b'{"a":', b"}"), (b"[", b"]")])
def test_json_has_a_deepest_level(brackets: tuple[bytes, bytes]) -> None:
    assert depth.loads(nested(depth.DEEPEST, *brackets))
    with pytest.raises(orjson.JSONDecodeError, match="exceeded max depth"):
        depth.loads(nested(depth.DEEPEST + 2, *brackets))


def test_many_values_beside_each_other_are_not_deep() -> None:
    text = b"[" + b",".join([b'{"a":[{}]}'] * 1000) + b"]"
    assert len(depth.loads(text)) == 1000


@pytest.mark.parametrize(
    "text", [b"[" * 100_000, b"{a: " * 5_000 + b"}" * 5_000, b"- " * 50_000 + b"a"]
)
def test_deep_yaml_is_refused(text: bytes) -> None:
    with pytest.raises(yaml.YAMLError, match="exceeded max depth"):
        yaml.load(text)


def test_yaml_aliases_are_written_out() -> None:
    assert yaml.load(b"a: &a {x: 1}\nb: [*a, *a]\n") == {"a": {"x": 1}, "b": [{"x": 1}] * 2}


def test_yaml_aliases_of_aliases_have_an_end() -> None:
    lines = [b"a: &a [x,x,x,x,x,x,x,x,x,x]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]".encode())
    with pytest.raises(yaml.YAMLError, match="excessive aliasing"):
        yaml.load(b"\n".join(lines))


def test_an_alias_inside_of_itself_is_refused() -> None:
    with pytest.raises(yaml.YAMLError, match="contains itself"):
        yaml.load(b"a: &a {b: [*a]}")
