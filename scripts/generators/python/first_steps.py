"""Registers, logs in by bearer and asks who it is, by the client that openapi-python-client generates."""

import sys

from gatehouse_client import AuthenticatedClient, Client
from gatehouse_client.api.access import authorize_author
from gatehouse_client.api.authentication import get_me, list_sessions, login, register
from gatehouse_client.models import CreateUser, LoginUser, LoginUserTransport, Message, Problem, Token, UserResponse

url = sys.argv[1]
stranger = Client(base_url=url)
password = "a long and quiet evening"

created = register.sync(
    client=stranger, body=CreateUser(username="python", email="python@example.com", password=password)
)
assert isinstance(created, Message), created

refused = login.sync(client=stranger, body=LoginUser(username="python", password="another evening"))
assert isinstance(refused, Problem) and refused.code == "invalid_credentials", refused

credentials = LoginUser(username="python", password=password, transport=LoginUserTransport.BEARER)
tokens = login.sync(client=stranger, body=credentials)
assert isinstance(tokens, Token) and isinstance(tokens.refresh_token, str), tokens

user = AuthenticatedClient(base_url=url, token=tokens.access_token)
me = get_me.sync(client=user)
assert isinstance(me, UserResponse) and me.username == "python" and me.first_name is None, me
sessions = list_sessions.sync(client=user)
assert sessions is not None and not isinstance(sessions, Problem) and sessions.items[0].current, sessions
assert authorize_author.sync_detailed(client=user).status_code == 403

unknown = get_me.sync(client=AuthenticatedClient(base_url=url, token="none"))
assert isinstance(unknown, Problem) and unknown.status == 401, unknown
