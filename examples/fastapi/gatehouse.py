"""Gatehouse's access tokens (RFC 9068) for FastAPI: `Annotated[Caller, Depends(require_role("author"))]`.

Tokens are verified by Gatehouse's public keys, without asking Gatehouse: a revocation is not seen until the token expires.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import uuid4

import jwt
from fastapi import Depends, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

Role = Literal["reader", "author", "admin"]

# As in Gatehouse's settings. A server that answers in the issuer's place can make tokens: over a network, https.
ISSUER = os.environ.get("ISSUER", "http://127.0.0.1:3000")
AUDIENCE = os.environ.get("AUDIENCE", "gatehouse")


@dataclass(frozen=True)
class Caller:
    """A user, or a service in its own name."""

    id: str  # a user's id, or "client:…" of a service
    name: str  # for people to read: usernames change
    roles: tuple[str, ...]


class AccessProblem(Exception):
    """Why a caller is refused: the same answers as Gatehouse's own (RFC 9457, RFC 6750 §3)."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.status, self.title, self.detail, self.headers = PROBLEMS[code]


INVALID = {"www-authenticate": 'Bearer error="invalid_token"'}
PROBLEMS = {
    "not_authenticated": (401, "Unauthorized", "Could not validate credentials", {"www-authenticate": "Bearer"}),
    "token_expired": (401, "Unauthorized", "Token expired", INVALID),
    "token_invalid": (401, "Unauthorized", "Invalid token", INVALID),
    "permission_denied": (
        403,
        "Forbidden",
        "You do not have permission to perform this operation",
        {"www-authenticate": 'Bearer error="insufficient_scope"'},
    ),
    "unavailable": (
        503,
        "Service Unavailable",
        "The keys that verify access tokens cannot be fetched",
        {"retry-after": "5"},
    ),
}


async def answer_problem(_request: Request, problem: AccessProblem) -> JSONResponse:
    """For `app.add_exception_handler(AccessProblem, answer_problem)`."""
    request_id = str(uuid4())
    body = {
        "type": f"urn:gatehouse:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "request_id": request_id,
    }
    headers = {**problem.headers, "cache-control": "no-store", "x-request-id": request_id}
    return JSONResponse(body, problem.status, headers, "application/problem+json; charset=utf-8")


class Keys(jwt.PyJWKClient):
    """Gatehouse's public keys: fetched every five minutes, and for unknown `kid`s twice a minute at most.

    They stay in use while Gatehouse is down. PyJWKClient alone would verify nothing then, once its cache has expired.
    """

    _last: Any = None

    def fetch_data(self) -> Any:
        try:
            self._last = super().fetch_data()
        except (jwt.PyJWTError, ValueError) as error:
            if self._last is None:
                raise AccessProblem("unavailable") from error
        return self._last


keys = Keys(f"{ISSUER.rstrip('/')}/.well-known/jwks.json", timeout=3)
bearer = HTTPBearer(auto_error=False, description="An access token of Gatehouse")


# Not `async`: FastAPI runs it in a thread, where it may wait for the keys.
def authenticate(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> Caller:
    """Who is calling, whatever their roles: `Annotated[Caller, Depends(authenticate)]`."""
    if credentials is None:
        raise AccessProblem("not_authenticated")
    try:
        return verify(credentials.credentials)
    except jwt.ExpiredSignatureError as error:
        raise AccessProblem("token_expired") from error
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise AccessProblem("token_invalid") from error


def require_role(role: Role) -> Callable[[Caller], Caller]:
    """Lets callers with the role pass. Roles are independent: an admin who is not an author is no author."""

    def check(caller: Annotated[Caller, Depends(authenticate)]) -> Caller:
        if role not in caller.roles:
            raise AccessProblem("permission_denied")
        return caller

    return check


def verify(token: str) -> Caller:
    header = jwt.get_unverified_header(token)
    # No other JWT of the same issuer passes for an access token (RFC 8725 §3.11).
    if header.get("typ") != "at+jwt":
        raise AccessProblem("token_invalid")
    claims = jwt.decode(
        token,
        # The key decides the algorithm (RFC 8725 §3.1), and this list is of signatures by key pairs alone.
        keys.get_signing_key(header.get("kid")),
        algorithms=["ES256", "RS256", "EdDSA"],
        issuer=ISSUER,
        audience=AUDIENCE,
        leeway=5,
        options={"require": ["iss", "aud", "sub", "iat", "exp", "jti"], "strict_aud": True},
    )
    roles = {claim.removeprefix("is_"): held for claim, held in claims.items() if claim.startswith("is_")}
    if claims.get("type") != "access" or not all(isinstance(held, bool) for held in roles.values()):
        raise AccessProblem("token_invalid")
    return Caller(claims["sub"], read_name(claims), tuple(role for role, held in roles.items() if held))


def read_name(claims: dict[str, Any]) -> str:
    # Users and services are told apart by the subject alone: tokens of users name a client, too.
    subject, username, client_id = (claims.get(claim) for claim in ("sub", "username", "client_id"))
    if subject == f"client:{client_id}" and isinstance(client_id, str):
        return client_id
    if re.fullmatch("[1-9][0-9]{0,9}", subject or "") and isinstance(username, str):
        return username
    raise AccessProblem("token_invalid")
