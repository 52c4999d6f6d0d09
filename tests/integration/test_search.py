"""Objects are found by a part of their name, as far as a user may list them."""

from __future__ import annotations

import pytest

from nodes.client.resources import CONFIGMAPS
from playground.control_call import Call
from playground.control_search import search
from tests.support.builders import obj
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME
MASTERS = ("system:masters", "system:authenticated")


@pytest.fixture
async def found(lab, fleet):
    for namespace in ("prod", "default"):
        if namespace != "default":
            await lab.client.create(dict(obj("Namespace", namespace, namespace=None)))
        for name in ("web", "web-extra", "the-web"):
            await lab.client.create(dict(obj("ConfigMap", name, namespace=namespace)))

    async def find(words, user="admin", groups=MASTERS, **more):
        query = {"q": [words], "user": [user], "group": list(groups)}
        query |= {name: [value] for name, value in more.items()}
        code, answer = await search(Call(fleet, [lab.cluster.name, "search"], query, b""))
        assert code == 200
        return answer

    return find


def names(answer, kind="ConfigMap"):
    hits = answer["items"]
    return [(hit["namespace"], hit["name"]) for hit in hits if hit["kind"] == kind]


async def test_the_best_name_comes_first(found):
    assert names(await found("web default")) == [
        ("default", "web"),
        ("default", "web-extra"),
        ("default", "the-web"),
    ]


async def test_words_may_be_about_namespace_and_kind(found):
    assert names(await found("prod cm web"))[0] == ("prod", "web")
    assert len(names(await found("prod configmap web"))) == 3
    assert names(await found("prod pods web")) == []


async def test_all_hits_are_counted_and_some_are_given(found):
    answer = await found("web", limit="2")
    assert len(answer["items"]) == 2
    assert answer["total"] >= 6


async def test_nothing_is_found_for_nothing(found):
    assert await found("  ") == {"items": [], "total": 0}


async def test_one_finds_what_one_may_list(found, lab):
    somebody = {"user": "lea", "groups": ("system:authenticated",)}
    assert (await found("web", **somebody))["total"] == 0
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}]
    rbac = "rbac.authorization.k8s.io/v1"
    await lab.client.create(dict(obj("Role", "reader", "prod", rbac, rules=rules)))
    about = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "lea"}]
    binding = obj("RoleBinding", "lea", "prod", rbac, roleRef=about, subjects=subjects)
    await lab.client.create(dict(binding))
    assert {namespace for namespace, _ in names(await found("web", **somebody))} == {"prod"}


async def test_at_a_revision_what_was_there_then_is_found(found, lab):
    then = await lab.quiet()
    await lab.client.delete(CONFIGMAPS, "prod", "web")
    await lab.client.create(dict(obj("ConfigMap", "web-later", namespace="prod")))
    now = names(await found("web prod"))
    past = names(await found("web prod", rev=str(then)))
    assert ("prod", "web") in past
    assert ("prod", "web") not in now
    assert sorted({*past, *now} - {*past}) == [("prod", "web-later")]
    assert names(await found("cm prod web", rev=str(then))) == past
    assert (await found("web", user="lea", groups=(), rev=str(then)))["total"] == 0
