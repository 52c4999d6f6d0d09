"""What a user prefers, for scripts of the page: the theme button, the list of keys."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from playground.sandboxes import access
from playground.workspace import preferences
from playground.workspace.models import Preferences
from playground.workspace.serializers import PreferencesSerializer


class OwnPreferences(APIView):
    """The caller's own preferences."""

    @extend_schema(responses=PreferencesSerializer, operation_id="read_preferences")
    def get(self, request: Request) -> Response:
        """Return what the caller prefers."""
        return Response(PreferencesSerializer(_own(request)).data)

    @extend_schema(
        request=PreferencesSerializer,
        responses=PreferencesSerializer,
        operation_id="change_preferences",
    )
    def patch(self, request: Request) -> Response:
        """Change some of it; `keys` is replaced as a whole."""
        wanted = PreferencesSerializer(_own(request), data=request.data, partial=True)
        wanted.is_valid(raise_exception=True)
        kept = wanted.save()
        response = Response(PreferencesSerializer(kept).data)
        preferences.remember(response, kept)
        return response


def _own(request: Request) -> Preferences:
    user = access.signed_in(request.user)
    return Preferences.objects.filter(pk=user.pk).first() or Preferences(user=user)
