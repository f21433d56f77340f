"""id.twitch.tv/oauth2: token, validate, revoke. Twitch: Getting OAuth Access Tokens."""

from .endpoint import played
from .exchange import Answer, Call, RefusedCall, json_answer
from .settings import expected_client_id, expected_client_secret
from .state import sandbox
from .tokens import Token

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


@played("/sandbox/oauth2/token", "POST")
def token(call: Call) -> Answer:
    form = call.form()
    _check_client(form)
    exchange = {
        "authorization_code": _exchange_code,
        "refresh_token": _exchange_refresh_token,
        "client_credentials": _issue_app_token,
        DEVICE_CODE: _exchange_device_code,
    }.get(form.get("grant_type", ""))
    if exchange is None:
        raise RefusedCall(_refusal(400, "Invalid grant type"))
    return _token_answer(exchange(form))


@played("/sandbox/oauth2/validate", "GET")
def validate(call: Call) -> Answer:
    scheme, _, text = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in ("oauth", "bearer") or not text:
        return _refusal(401, "missing authorization token")
    found = sandbox.tokens.valid(text.strip())
    if found is None:
        return _refusal(401, "invalid access token")
    person = sandbox.people.get(found.user_id) if found.user_id else None
    return json_answer(
        {
            "client_id": found.client_id,
            "login": person.login if person else None,
            # Seen at Twitch: null for a token without scopes, where a list is documented.
            "scopes": list(found.scopes) or None,
            "user_id": found.user_id,
            "expires_in": found.seconds_left(),
        }
    )


@played("/sandbox/oauth2/revoke", "POST")
def revoke(call: Call) -> Answer:
    form = call.form()
    client_id = form.get("client_id", "")
    if not client_id or client_id != (expected_client_id() or client_id):
        return _refusal(404, "client does not exist")
    if not sandbox.tokens.revoke(form.get("token", ""), client_id):
        return _refusal(400, "Invalid token")
    return Answer(200)


def _exchange_code(form: dict[str, str]) -> Token:
    code = sandbox.tokens.take_code(form.get("code", ""), form["client_id"])
    if code is None:
        raise RefusedCall(_refusal(400, "Invalid authorization code"))
    if form.get("redirect_uri") != code.redirect_uri:
        message = "Parameter redirect_uri does not match registered URI"
        raise RefusedCall(_refusal(400, message))
    seconds = sandbox.settings.user_token_seconds
    return sandbox.tokens.issue(code.client_id, code.user_id, code.scopes, seconds=seconds)


def _exchange_refresh_token(form: dict[str, str]) -> Token:
    new = sandbox.tokens.refresh(
        form.get("refresh_token", ""),
        form["client_id"],
        seconds=sandbox.settings.user_token_seconds,
    )
    if new is None:
        body = {"error": "Bad Request", "status": 400, "message": "Invalid refresh token"}
        raise RefusedCall(json_answer(body, 400))
    return new


def _exchange_device_code(form: dict[str, str]) -> Token:
    device = sandbox.devices.take(form.get("device_code", ""), form["client_id"])
    if device is None:
        raise RefusedCall(_refusal(400, "invalid device code"))
    if device.user_id is None:
        raise RefusedCall(_refusal(400, "authorization_pending"))
    seconds = sandbox.settings.user_token_seconds
    return sandbox.tokens.issue(device.client_id, device.user_id, device.scopes, seconds=seconds)


def _issue_app_token(form: dict[str, str]) -> Token:
    seconds = sandbox.settings.app_token_seconds
    return sandbox.tokens.issue(form["client_id"], None, (), seconds=seconds)


def _check_client(form: dict[str, str]) -> None:
    client_id, secret = form.get("client_id"), form.get("client_secret")
    if not client_id:
        raise RefusedCall(_refusal(400, "missing client id"))
    if client_id != (expected_client_id() or client_id):
        raise RefusedCall(_refusal(400, "invalid client"))
    if not secret and form.get("grant_type") == DEVICE_CODE:
        return  # a device cannot keep a secret
    if not secret:
        raise RefusedCall(_refusal(400, "missing client secret"))
    if secret != (expected_client_secret() or secret):
        raise RefusedCall(_refusal(403, "invalid client secret"))


def _token_answer(issued: Token) -> Answer:
    document = {
        "access_token": issued.access_token,
        "expires_in": issued.seconds_left(),
        "token_type": "bearer",
    }
    if issued.refresh_token:
        document["refresh_token"] = issued.refresh_token
    if issued.scopes:
        # A list here, and absent when there are none.
        document["scope"] = list(issued.scopes)
    return json_answer(document)


def _refusal(status: int, message: str) -> Answer:
    return json_answer({"status": status, "message": message}, status)
