"""What a StorageVersion may be called, what servers may say in it, and how it is shown."""

import pytest

from apiserver.registry.apiserverinternal.storageversions import (
    STORAGEVERSIONS,
    is_api_version,
    is_storage_version_name,
)

STATUS = STORAGEVERSIONS.subresources["status"].strategy
CTX = None
FORM = "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?'"
LABEL = f"(e.g. 'my-name',  or 'abc-123', {FORM})"
HELD = (
    "should be nil if servers do not agree on the same encoding version, or if there is no server "
    "reporting the supported versions yet"
)
INVALID = "status.commonEncodingVersion: Invalid value"
DECODABLE = "status.storageVersions[0].decodableVersions: Invalid value"
TWICE = "the type of the condition is not unique, it also appears in conditions[0]"


def server(name="a", encodes="v1", decodes=("v1",)):
    return {"apiServerID": name, "encodingVersion": encodes, "decodableVersions": list(decodes)}


def condition(**changed):
    return {"type": "T", "status": "True", "reason": "R", "message": "m"} | changed


def errors(*servers, common=None, conditions=()):
    status = {"storageVersions": list(servers), "conditions": list(conditions)}
    if common is not None:
        status["commonEncodingVersion"] = common
    new = {"metadata": {"name": "core.pods"}, "status": status}
    return [str(error) for error in STATUS.validate_update(new, {"metadata": {}}, CTX)]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("core.pods", []),
        ("rbac.authorization.k8s.io.roles", []),
        ("pods", ["name must be in the form of <group>.<resource>"]),
        ("Core.pods", ["the group segment a lowercase RFC 1123 subdomain must consist"]),
        ("core.1", ["the resource segment a DNS-1035 label must consist"]),
        (".", ["the group segment ", "the resource segment "]),
    ],
)
def test_names(name, words):
    found = is_storage_version_name(name)
    assert len(found) == len(words)
    assert all(one.startswith(start) for one, start in zip(found, words, strict=True))


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("v1", []),
        ("apps/v1", []),
        ("", ["version part: must be non-empty"]),
        ("/", ["group part: must be non-empty", "version part: must be non-empty"]),
        ("a_b/V1", ["group part: a lowercase RFC 1123", "version part: a DNS-1035 label must"]),
        ("a/b/c", ["an apiVersion is a DNS-1035 label, which must consist of lower case"]),
    ],
)
def test_api_versions(version, words):
    found = is_api_version(version)
    assert len(found) == len(words)
    assert all(one.startswith(start) for one, start in zip(found, words, strict=True))


def test_an_api_version_is_explained():
    (words,) = is_api_version("a/b/c")
    assert words.endswith(
        f"{LABEL} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyVersion')"
    )


@pytest.mark.parametrize(
    ("given", "common", "found"),
    [
        ((), None, []),
        ((server(),), "v1", []),
        ((server(), server("b")), "v1", []),
        ((server(), server("b", "v2", ["v2"])), None, []),
        (
            (server(),),
            None,
            [f"{INVALID}: null: the common encoding version is v1"],
        ),
        (
            (server(),),
            "v2",
            [f'{INVALID}: "v2": the actual common encoding version is v1'],
        ),
        (
            (),
            "v1",
            [f'{INVALID}: "v1": {HELD}'],
        ),
        (
            (server(decodes=["v2"]),),
            "v1",
            [f'{DECODABLE}: ["v2"]: decodableVersions must include encodingVersion v1'],
        ),
    ],
)
def test_what_servers_say(given, common, found):
    assert errors(*given, common=common) == found


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (server("A"), "apiServerID"),
        (server(encodes="V1", decodes=["V1"]), "encodingVersion"),
        (server(decodes=["v1", "a_b/v1"]), "decodableVersions[1]"),
    ],
)
def test_names_of_servers_and_versions_have_their_form(given, field):
    first = errors(given, common=given["encodingVersion"])[0]
    assert first.startswith(f"status.storageVersions[0].{field}: Invalid value: ")


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ([condition()], []),
        ([condition(reason="")], ["status[0].reason: Required value: reason cannot be empty"]),
        ([condition(message="")], ["status[0].message: Required value: message cannot be empty"]),
        (
            [condition(), condition()],
            [f'status[1].type: Invalid value: "T": {TWICE}'],
        ),
    ],
)
def test_conditions(conditions, found):
    assert errors(conditions=conditions) == found


def test_only_the_status_tells_and_only_its_own_path_writes_it():
    strategy = STORAGEVERSIONS.strategy
    new = {"metadata": {"name": "core.pods"}, "status": {"storageVersions": [server()]}}
    strategy.prepare_for_create(new, CTX)
    assert new["status"] == {}
    changed = {"metadata": {"name": "core.pods"}, "status": {"storageVersions": [server()]}}
    strategy.prepare_for_update(changed, {"metadata": {}, "status": {"conditions": []}}, CTX)
    assert changed["status"] == {"conditions": []}


@pytest.mark.parametrize(
    ("status", "cells"),
    [
        ({}, ["<unset>", ""]),
        ({"commonEncodingVersion": "v1", "storageVersions": [server()]}, ["v1", "a=v1"]),
        (
            {"storageVersions": [server(one) for one in "abcde"]},
            ["<unset>", "a=v1,b=v1,c=v1 + 2 more..."],
        ),
    ],
)
def test_columns(status, cells):
    columns = STORAGEVERSIONS.columns[1:3]
    assert [one.value({"status": status}, 0.0) for one in columns] == cells
