"""The REST API's description: every part of it has a name of its own."""

from django.core.management import call_command


def test_nothing_in_the_schema_shares_a_name(tmp_path):
    call_command("spectacular", file=str(tmp_path / "schema.yml"), fail_on_warn=True)
