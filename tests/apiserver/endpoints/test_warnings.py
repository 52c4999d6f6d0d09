"""Warning headers: one for each text, quoted, and never too much."""

from apiserver.endpoints.warnings import headers


def texts(*given: str) -> list[str]:
    found = headers(given)
    assert all(name == b"warning" for name, _ in found)
    return [value.decode() for _, value in found]


def test_each_text_once_and_quoted():
    assert texts() == []
    assert texts('say "no"', "a\\b", 'say "no"') == ['299 - "say \\"no\\""', '299 - "a\\\\b"']
    assert texts("zwölf ☸") == ['299 - "zwölf ☸"']


def test_what_no_header_can_hold_is_left_out():
    assert texts("", "two\nlines", "fine") == ['299 - "fine"']


def test_what_is_too_much_is_cut():
    found = texts(*(f"{number:02}" + "x" * 998 for number in range(20)))
    assert len(found) == 4096 // 256
    assert found[1] == f'299 - "01{"x" * 254}"'
