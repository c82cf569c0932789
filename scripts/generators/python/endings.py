"""Ends sessions, accounts and clients in every way there is, by the client that openapi-python-client generates.

After each the token that was good before is refused.
"""

import sys
from collections.abc import Callable
from http import HTTPStatus
from uuid import UUID

import httpx
from gatehouse_client import AuthenticatedClient, Client
from gatehouse_client.api.access import authorize
from gatehouse_client.api.administration import (
    create_service_client,
    create_service_client_secret,
    delete_service_client,
    delete_user,
    end_service_client_secret,
    end_user_sessions,
    revoke_sessions,
    update_service_client,
    update_user,
)
from gatehouse_client.api.authentication import (
    change_password,
    delete_me,
    end_other_sessions,
    end_session,
    get_me,
    list_sessions,
    login,
    logout,
    register,
)
from gatehouse_client.api.services import issue_client_token, revoke_token
from gatehouse_client.models import (
    AdminUpdateUser,
    ChangePassword,
    ClientToken,
    ClientTokenRequest,
    CreatedClientSecret,
    CreatedServiceClient,
    CreateServiceClient,
    CreateUser,
    DeleteUser,
    LoginUser,
    LoginUserTransport,
    LogoutUser,
    RevocationRequest,
    RevokeSessions,
    SessionList,
    Token,
    UpdateServiceClient,
    UserResponse,
)
from gatehouse_client.types import Response

url, administrator, administrators_password = sys.argv[1:4]
stranger = Client(base_url=url)
username, first_password, second_password = (
    "python-endings",
    "a long and quiet evening",
    "another long and quiet evening",
)


def bearer(token: str) -> AuthenticatedClient:
    return AuthenticatedClient(base_url=url, token=token)


def start(password: str, username: str = username) -> Token:
    body = LoginUser(username=username, password=password, transport=LoginUserTransport.BEARER)
    tokens = login.sync(client=stranger, body=body)
    assert isinstance(tokens, Token), tokens
    return tokens


def status(token: str) -> HTTPStatus:
    return authorize.sync_detailed(client=bearer(token)).status_code


def done(answer: Response) -> None:
    assert answer.status_code < 300, (answer.status_code, answer.content)


def ends(what: str, token: str, end: Callable[[], Response]) -> None:
    assert status(token) == 204, f"{what}: the token is not good before"
    done(end())
    assert status(token) == 401, f"{what}: the token is good afterwards"


def sign_up(password: str) -> int:
    body = CreateUser(username=username, email="python-endings@example.com", password=password)
    done(register.sync_detailed(client=stranger, body=body))
    me = get_me.sync(client=bearer(start(password).access_token))
    assert isinstance(me, UserResponse), me
    return me.id


def current_session(token: str) -> UUID:
    sessions = list_sessions.sync(client=bearer(token))
    assert isinstance(sessions, SessionList), sessions
    return next(session.id for session in sessions.items if session.current)


admin = bearer(start(administrators_password, administrator).access_token)
user = sign_up(first_password)

token = start(first_password).access_token
ends("logout", token, lambda: logout.sync_detailed(client=bearer(token)))
tokens = start(first_password)
assert isinstance(tokens.refresh_token, str)
by_refresh_token = LogoutUser(refresh_token=tokens.refresh_token)
# Without an access token: the generated operation wants a client that has one.
nobody = AuthenticatedClient(base_url=url, token="", prefix="", auth_header_name="x-no-token")
ends(
    "logout by the refresh token",
    tokens.access_token,
    lambda: logout.sync_detailed(client=nobody, body=by_refresh_token),
)
token, other = start(first_password).access_token, bearer(start(first_password).access_token)
ends("the end of a session", token, lambda: end_session.sync_detailed(current_session(token), client=other))
token = start(first_password).access_token
ends("the end of the other sessions", token, lambda: end_other_sessions.sync_detailed(client=other))

token = start(first_password).access_token
change = ChangePassword(current_password=first_password, new_password=second_password)
ends("a change of the password", token, lambda: change_password.sync_detailed(client=bearer(token), body=change))
token = start(second_password).access_token
ends("the end of a user's sessions", token, lambda: end_user_sessions.sync_detailed(user, client=admin))
token = start(second_password).access_token
ends(
    "the end of many sessions",
    token,
    lambda: revoke_sessions.sync_detailed(client=admin, body=RevokeSessions(user_ids=[user])),
)
token = start(second_password).access_token
ends(
    "disabling a user",
    token,
    lambda: update_user.sync_detailed(user, client=admin, body=AdminUpdateUser(is_disabled=True)),
)
done(update_user.sync_detailed(user, client=admin, body=AdminUpdateUser(is_disabled=False)))
token = start(second_password).access_token
ends(
    "deleting one's account",
    token,
    lambda: delete_me.sync_detailed(client=bearer(token), body=DeleteUser(password=second_password)),
)
user = sign_up(second_password)
token = start(second_password).access_token
ends("deleting a user", token, lambda: delete_user.sync_detailed(user, client=admin))


def as_client(client_id: UUID, secret: str) -> Client:
    return Client(base_url=url, httpx_args={"auth": httpx.BasicAuth(str(client_id), secret)})


credentials = ClientTokenRequest(grant_type="client_credentials")


def client_token(service: Client) -> str:
    issued = issue_client_token.sync(client=service, body=credentials)
    assert isinstance(issued, ClientToken), issued
    return issued.access_token


created = create_service_client.sync(client=admin, body=CreateServiceClient(name="python-endings", is_reader=True))
assert isinstance(created, CreatedServiceClient), created
second = create_service_client_secret.sync(created.id, client=admin)
assert isinstance(second, CreatedClientSecret), second
first_secret, service = as_client(created.id, created.client_secret), as_client(created.id, second.client_secret)

token = client_token(first_secret)
ends(
    "revoking a client's token",
    token,
    lambda: revoke_token.sync_detailed(client=first_secret, body=RevocationRequest(token=token)),
)
client_token(first_secret)
done(end_service_client_secret.sync_detailed(created.id, created.secrets[0].id, client=admin))
refused = issue_client_token.sync_detailed(client=first_secret, body=credentials)
assert refused.status_code == 401, "the end of a client's secret: the secret is good afterwards"
token = client_token(service)
ends(
    "disabling a client",
    token,
    lambda: update_service_client.sync_detailed(created.id, client=admin, body=UpdateServiceClient(is_disabled=True)),
)
done(update_service_client.sync_detailed(created.id, client=admin, body=UpdateServiceClient(is_disabled=False)))
token = client_token(service)
ends("deleting a client", token, lambda: delete_service_client.sync_detailed(created.id, client=admin))
