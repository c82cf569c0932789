"""Checks a token as Authlib's validator of RFC 9068 does."""

import json
import sys
from urllib.request import urlopen

from authlib.jose import JsonWebKey
from authlib.oauth2.rfc6750 import InvalidTokenError
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator

url, issuer, audience, token = sys.argv[1:5]


class Validator(JWTBearerTokenValidator):
    def get_jwks(self):
        with urlopen(f"{url}/.well-known/jwks.json") as answer:
            return JsonWebKey.import_key_set(json.load(answer))


validator = Validator(issuer=issuer, resource_server=audience)
validator.validate_token(validator.authenticate_token(token), scopes=None, request=None)
for wrong in (
    Validator(issuer=issuer, resource_server="another"),
    Validator(issuer="https://another.example", resource_server=audience),
):
    try:
        wrong.validate_token(wrong.authenticate_token(token), scopes=None, request=None)
    except InvalidTokenError:
        continue
    raise AssertionError("a token of another issuer or for another audience was accepted")
