"""Times and bytes: what is accepted, how it is printed, and Go's words about the rest."""

import pytest

from apimachinery.schema import scalars


@pytest.mark.parametrize(
    ("text", "second", "micro"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"),
        ("2026-01-02T03:04:05.6789Z", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.678900Z"),
        ("2026-01-01T23:30:00-01:00", "2026-01-02T00:30:00Z", "2026-01-02T00:30:00.000000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", None),
    ],
)
def test_times(text, second, micro):
    assert scalars.time(text) == second
    assert scalars.micro_time(text) == micro


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("abc", ' as "2006-01-02T15:04:05Z07:00": cannot parse "abc" as "2006"'),
        ("", ' as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006"'),
        ("2026-01-02", ' as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'),
        ("2026-01-02T03:04:05", ' as "2006-01-02T15:04:05Z07:00": cannot parse "" as "Z07:00"'),
        ("2026-13-02T03:04:05Z", ": month out of range"),
        ("2026-02-30T03:04:05Z", ": day out of range"),
        ("2026-01-02T24:04:05Z", ": hour out of range"),
        ("2026-01-02T03:04:05Zx", ': extra text: "x"'),
    ],
)
def test_what_is_no_time(text, why):
    with pytest.raises(scalars.ScalarError) as refused:
        scalars.time(text)
    assert str(refused.value) == f'parsing time "{text}"{why}'


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("YQ=", 3), ("Y", 0), ("YQ==x", 4), ("Y=", 1), ("YW!i", 2), ("YWJ", 0), ("=", 0),
        ("YQ=a", 2), ("YWJjZ", 4), ("YW\nJ!", 4), ("\u00e4", 0),
    ],
)  # fmt: skip
def test_what_is_no_base64(text, where):
    with pytest.raises(scalars.ScalarError, match=f"^illegal base64 data at input byte {where}$"):
        scalars.base64_bytes(text)


def test_base64_is_printed_without_newlines():
    assert scalars.base64_bytes("YW\r\nI=") == "YWI="
    assert scalars.base64_bytes("") == ""


@pytest.mark.parametrize("value", [True, [], {}, "1 Gi", ""])
def test_what_is_no_quantity(value):
    with pytest.raises(scalars.ScalarError, match="quantities must match"):
        scalars.quantity(value)


def test_whole_floats_print_as_integers():
    assert (scalars.float64(5.0), scalars.float64(0.5), scalars.float64(1e22)) == (5, 0.5, 1e22)
    assert isinstance(scalars.float64(5.0), int)
