"""Warning headers: each text once, quoted, and never too much."""

from apiserver.endpoints.warnings import header


def test_each_text_once_and_quoted():
    assert header([]) == ""
    assert header(['say "no"', "a\\b", 'say "no"']) == '299 - "say \\"no\\"", 299 - "a\\\\b"'


def test_what_no_header_can_hold_is_left_out():
    assert header(["", "two\nlines", "fine"]) == '299 - "fine"'


def test_what_is_too_much_is_cut():
    found = header(f"{number:02}" + "x" * 998 for number in range(20)).split(", ")
    assert len(found) == 4096 // 256
    assert found[1] == f'299 - "01{"x" * 254}"'
