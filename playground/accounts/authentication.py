"""Who calls the REST API: the operator by the instance's admin token, else a session."""

from __future__ import annotations

import hmac

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from playground.accounts.links import operator
from playground.accounts.models import User
from playground.instance import Instance


class AdminTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <admin token>` is the operator; a wrong token is refused."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        scheme, _, token = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        expected = Instance(settings.DATA_DIR).admin_token().encode()
        if not hmac.compare_digest(token.strip(), expected):
            raise AuthenticationFailed("The bearer token is not valid.")
        return operator(), None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class AdminTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema describes the token; spectacular finds it by its target."""

    target_class = AdminTokenAuthentication
    name = "adminToken"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Return the scheme as OpenAPI has it."""
        return {"type": "http", "scheme": "bearer"}
