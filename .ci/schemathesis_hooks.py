"""The access tokens of schemathesis's requests, and ids that exist.

One user sends all requests; a request that ends a session gets a new user each time. In every second valid request, ids
are replaced by those of a conversation, a message and a user that exist: of random ids, every answer is 404.
"""

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


def post(path, body, token=None):
    """Sends a request that must succeed; returns its data."""
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    request = urllib.request.Request(URL + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as response:
        return json.load(response)["data"]


def register():
    """Registers a user; returns the user with the tokens."""
    name = f"schemathesis-{os.getpid()}-{next(numbers)}"
    body = {"username": name, "email": f"{name}@example.com", "password": "correct horse battery"}
    return post("/api/auth/register", body)


TOKEN = register()["accessToken"]
OTHER = register()["user"]["id"]
CONVERSATION = post("/api/conversations", {"participantId": OTHER}, TOKEN)["conversation"]["id"]


def new_message():
    """The id of a new message in the conversation."""
    body = {"conversationId": CONVERSATION, "content": "hello"}
    return post("/api/messages/send", body, TOKEN)["message"]["id"]


# Without a cache: the provider itself decides which requests share a token.
@schemathesis.auth(refresh_interval=None)
class AccessToken:
    def get(self, case, context):
        ends_a_session = (case.method.upper(), case.operation.path) in ENDING
        return register()["accessToken"] if ends_a_session else TOKEN

    def set(self, case, data, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"


def existing(name, path):
    """The id that exists for a parameter or a field; None if it is no id, or one of the caller's own sessions."""
    if name == "id" and path.startswith("/api/conversations/") or name == "conversationId":
        return CONVERSATION
    if name in ("messageId", "before", "after"):
        return new_message()
    if name in ("userId", "receiverId", "participantId"):
        return OTHER
    return None


@schemathesis.hook
def before_call(context, case, kwargs):
    meta = case.meta
    # The links of stateful tests supply ids themselves.
    if meta is None or not meta.generation.mode.is_positive or meta.phase.name.value == "stateful":
        return
    if next(numbers) % 2:
        return
    for place in (case.path_parameters, case.query, case.body):
        if isinstance(place, dict):
            for name, value in list(place.items()):
                if isinstance(value, str) and (found := existing(name, case.operation.path)):
                    place[name] = found
                elif isinstance(value, list) and name == "participantIds":
                    place[name] = [OTHER]
