"""Who an API server is."""

from apimachinery.storageversions import server_id


def test_the_id_of_a_server_is_of_its_host():
    first, second = server_id("a"), server_id("b")
    assert first == server_id("a") != second
    prefix, _, rest = first.partition("-")
    # 16 bytes in base 32.
    assert (prefix, len(rest), rest.islower()) == ("apiserver", 26, True)
