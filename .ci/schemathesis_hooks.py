"""The access token of schemathesis's requests: one user for all, and a new user for each request that ends a session."""

import itertools
import json
import os
import urllib.request

import schemathesis

URL = os.environ["ULAK_URL"]
ENDING = {
    ("POST", "/api/auth/logout"),
    ("DELETE", "/api/auth/sessions/{id}"),
    ("DELETE", "/api/auth/me"),
}
numbers = itertools.count()


def register():
    """Registers a user and returns the access token."""
    name = f"schemathesis-{os.getpid()}-{next(numbers)}"
    body = {"username": name, "email": f"{name}@example.com", "password": "correct horse battery"}
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{URL}/api/auth/register", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as response:
        return json.load(response)["data"]["accessToken"]


TOKEN = register()


# Without a cache: the provider itself decides which requests share a token.
@schemathesis.auth(refresh_interval=None)
class AccessToken:
    def get(self, case, context):
        ends_a_session = (case.method.upper(), case.operation.path) in ENDING
        return register() if ends_a_session else TOKEN

    def set(self, case, data, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"
