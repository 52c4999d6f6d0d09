"""What expressions ask of the authorizer, as authorization understands it."""

from __future__ import annotations

from apimachinery.cel.libs.authorizers import Decision, Question
from apiserver.auth.attributes import Attributes
from apiserver.auth.cluster import ClusterAuth, UserInfo
from apiserver.auth.user import User, service_account_groups

_ACCOUNT = "system:serviceaccount:"


class Questions:
    """Answers in the name of a user, or of a service account that an expression names."""

    def __init__(self, auth: ClusterAuth) -> None:
        self._auth = auth

    def __call__(self, user: UserInfo, question: Question) -> Decision:
        who = User(user.name, user.groups, user.uid)
        if question.user:
            namespace = question.user.removeprefix(_ACCOUNT).partition(":")[0]
            who = User(question.user, service_account_groups(namespace))
        if question.path:
            asked = Attributes(who, question.verb, path=question.path, resource_request=False)
        else:
            asked = Attributes(
                who,
                question.verb,
                question.group,
                "*",
                question.resource,
                question.subresource,
                question.namespace,
                question.name,
            )
        found = self._auth.authorize(asked)
        return Decision(found.allowed, found.reason)
