"""What is kept of results, and what is not."""

from apimachinery.caching import kept_if_short


def test_results_of_short_texts_are_kept():
    made = []

    @kept_if_short(2, longest=3)
    def twice(text: str, times: int = 2) -> str:
        made.append(text)
        return text * times

    assert [twice("abc"), twice("abc"), twice("abc", times=3)] == ["abcabc", "abcabc", "abcabcabc"]
    assert made == ["abc", "abc"]
    assert [twice("abcd"), twice("abcd")] == ["abcdabcd"] * 2
    assert made[2:] == ["abcd", "abcd"]
