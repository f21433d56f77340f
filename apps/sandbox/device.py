"""Where a device gets its code, and the page where its user agrees. Twitch: Device code flow."""

from html import escape

from .consent import consent_page, login_button, problem
from .endpoint import played, served
from .exchange import Answer, Call, RefusedCall, json_answer
from .settings import expected_client_id
from .state import sandbox

ACTIVATE = "/sandbox/oauth2/activate"


@played("/sandbox/oauth2/device", "POST")
def begin(call: Call) -> Answer:
    form = call.form()
    client_id = form.get("client_id", "")
    if not client_id or client_id != (expected_client_id() or client_id):
        return json_answer({"status": 400, "message": "invalid client"}, 400)
    seconds = sandbox.settings.device_code_seconds
    device = sandbox.devices.begin(
        client_id, tuple(form.get("scopes", "").split()), seconds=seconds
    )
    address = f"http://{call.headers.get('host', '')}{ACTIVATE}?device-code={device.user_code}"
    return json_answer(
        {
            "device_code": device.device_code,
            "expires_in": seconds,
            "interval": sandbox.settings.device_interval_seconds,
            "user_code": device.user_code,
            "verification_uri": address,
        }
    )


@served(ACTIVATE, "GET")
def ask(call: Call) -> Answer:
    """The question, with a button for every user there is."""
    user_code = call.param("device-code") or ""
    device = sandbox.devices.waiting(user_code)
    if device is None:
        return consent_page(404, problem("no device waits with this code"))
    scopes = "\n".join(f"<li><code>{escape(one)}</code></li>" for one in device.scopes)
    people = "\n".join(login_button(person) for person in sandbox.people.all())
    return consent_page(
        200,
        f"""<p class="eyebrow">The sandbox plays Twitch</p>
<h1>Does a device of yours show {escape(user_code)}?</h1>
<p>The application <code>{escape(device.client_id)}</code> asks for:</p>
<ul class="scopes">
{scopes}
</ul>
<form method="post" action="{ACTIVATE}">
<input type="hidden" name="user_code" value="{escape(user_code)}">
<div class="choices">
{people}
<button class="quiet" name="decision" value="decline">Decline</button>
</div>
</form>""",
    )


@served(ACTIVATE, "POST")
def decide(call: Call) -> Answer:
    form = call.form()
    device = sandbox.devices.waiting(form.get("user_code", ""))
    if device is None:
        raise RefusedCall(consent_page(404, problem("no device waits with this code")))
    person = sandbox.people.get(form.get("user_id", ""))
    sandbox.devices.decide(device, person.id if person else None)
    said = "Your device goes on by itself." if person else "Your device gets nothing."
    return consent_page(200, f"<h1>Done</h1>\n<p>{said}</p>")
