"""The playground's REST API of accounts: one's own, and those whom one manages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from playground.accounts import people, sessions, throttle
from playground.accounts.account_views import session_rows
from playground.accounts.models import Session, User
from playground.accounts.serializers import (
    ClustersOfDeletedSerializer,
    LinkSerializer,
    NewLinkSerializer,
    NewPasswordSerializer,
    NewPersonSerializer,
    PeopleSerializer,
    PersonChangeSerializer,
    PersonSerializer,
    SessionsSerializer,
)
from playground.sandboxes import access, estates
from playground.sandboxes.gateway import gateway


class Account(APIView):
    """One's own account."""

    @extend_schema(responses=PersonSerializer, operation_id="read_account")
    def get(self, request: Request) -> Response:
        """Return the caller's account."""
        return Response(PersonSerializer(request.user).data)


class Password(APIView):
    """One's own password."""

    @extend_schema(
        request=NewPasswordSerializer, responses={204: None}, operation_id="change_password"
    )
    def put(self, request: Request) -> Response:
        """Change the password; every other session of the account ends."""
        given = NewPasswordSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user = access.signed_in(request.user)
        # Guesses at the old password are counted as those of the sign-in page are.
        if throttle.blocked(request, user.username):
            raise exceptions.Throttled(detail=_("Too many attempts."))
        if user.has_usable_password() and not user.check_password(given.validated_data["old"]):
            throttle.failed(request, user.username)
            raise exceptions.ValidationError({"old": [_("This is not the old password.")]})
        with _fields({"password": "new"}):
            people.set_password(user, given.validated_data["new"])
        if request.session.session_key:
            update_session_auth_hash(request, user)
        sessions.end_sessions(user, but=request.session.session_key)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Sessions(APIView):
    """The browsers where one is signed in."""

    @extend_schema(responses=SessionsSerializer, operation_id="list_sessions")
    def get(self, request: Request) -> Response:
        """Return the caller's sessions."""
        user = access.signed_in(request.user)
        return Response({"items": session_rows(user, request.session.session_key)})

    @extend_schema(responses={204: None}, operation_id="end_other_sessions")
    def delete(self, request: Request) -> Response:
        """Sign out everywhere but here."""
        sessions.end_sessions(access.signed_in(request.user), but=request.session.session_key)
        return Response(status=status.HTTP_204_NO_CONTENT)


class OneSession(APIView):
    """One browser where one is signed in."""

    @extend_schema(responses={204: None}, operation_id="end_session")
    def delete(self, request: Request, public_id: str) -> Response:
        """Sign out there."""
        for one in Session.objects.filter(user=access.signed_in(request.user)):
            if one.public_id == public_id:
                one.delete()
                return Response(status=status.HTTP_204_NO_CONTENT)
        raise Http404(_("There is no such session of yours."))


class People(APIView):
    """The accounts that the caller manages."""

    @extend_schema(responses=PeopleSerializer, operation_id="list_people")
    def get(self, request: Request) -> Response:
        """Return the accounts, by name."""
        known = people.known_to(access.signed_in(request.user))
        return Response({"items": PersonSerializer(known, many=True).data})

    @extend_schema(
        request=NewPersonSerializer, responses={201: PersonSerializer}, operation_id="create_person"
    )
    def post(self, request: Request) -> Response:
        """Make an account. Without a password its owner comes in by link."""
        wanted = NewPersonSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        with _fields():
            manager = access.signed_in(request.user)
            made = people.create(manager, given["username"], given["role"], given["password"])
        return Response(PersonSerializer(made).data, status=status.HTTP_201_CREATED)


class OnePerson(APIView):
    """One account that the caller manages."""

    @extend_schema(responses=PersonSerializer, operation_id="read_person")
    def get(self, request: Request, name: str) -> Response:
        """Return an account."""
        found = people.find(access.signed_in(request.user), name)
        return Response(PersonSerializer(found).data)

    @extend_schema(
        request=PersonChangeSerializer, responses=PersonSerializer, operation_id="change_person"
    )
    def patch(self, request: Request, name: str) -> Response:
        """Give an account another role, shut it out, or let it in again."""
        manager = access.signed_in(request.user)
        user = people.find(manager, name)
        wanted = PersonChangeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        with _fields():
            if "role" in wanted.validated_data:
                people.set_role(manager, user, wanted.validated_data["role"])
                estates.begin_anew(gateway(), user.username)
            if "active" in wanted.validated_data:
                people.set_active(manager, user, wanted.validated_data["active"])
                if not user.is_active:
                    estates.shut_out(gateway(), user.username)
        return Response(PersonSerializer(user).data)

    @extend_schema(
        parameters=[ClustersOfDeletedSerializer],
        responses={204: None},
        operation_id="delete_person",
    )
    def delete(self, request: Request, name: str) -> Response:
        """Delete an account; its clusters become the caller's, or are deleted."""
        manager = access.signed_in(request.user)
        user = people.find(manager, name)
        wanted = ClustersOfDeletedSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        with _fields():
            people.check_deletable(manager, user)
        estates.shut_out(gateway(), user.username)
        if wanted.validated_data["clusters"] == "delete":
            estates.delete(gateway(), user.username)
        else:
            estates.hand_over(gateway(), user.username, manager.username)
        people.delete(manager, user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Links(APIView):
    """Sign-in links of an account that the caller manages, or of their own."""

    @extend_schema(
        request=NewLinkSerializer, responses={201: LinkSerializer}, operation_id="create_link"
    )
    def post(self, request: Request, name: str) -> Response:
        """Make a link that signs in once."""
        caller = access.signed_in(request.user)
        user = _self_or_managed(caller, name)
        wanted = NewLinkSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        resets = wanted.validated_data["resets"]
        if resets and not caller.manages_people:
            raise exceptions.PermissionDenied(_("Ask an operator to reset your password."))
        with _fields():
            path = people.link(user, resets=resets)
        url = request.build_absolute_uri(path)
        return Response({"url": url}, status=status.HTTP_201_CREATED)


def _self_or_managed(caller: User, name: str) -> User:
    return caller if caller.username == name else people.find(caller, name)


@contextmanager
def _fields(names: dict[str, str] | None = None) -> Iterator[None]:
    """Turn Django's word for a wrong field into the API's."""
    try:
        yield
    except ValidationError as error:
        renamed = {(names or {}).get(key, key): told for key, told in people.wrong(error).items()}
        raise exceptions.ValidationError(renamed) from error
