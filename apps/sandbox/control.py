"""The control API: how a test disturbs the sandbox, lets things happen and asks what it saw."""

from dataclasses import asdict

from .endpoint import served
from .exchange import Answer, Call, json_answer
from .faults import fault_from
from .orders import refused
from .simulated_events import happen
from .state import sandbox


@served("/sandbox/control/reset", "POST")
def reset(call: Call) -> Answer:
    sandbox.reset()
    return Answer(204)


@served("/sandbox/control/settings", "GET", "POST")
def settings(call: Call) -> Answer:
    """Changes what is named and leaves the rest; answers with all of them."""
    try:
        sandbox.settings = sandbox.settings.changed(call.json_object())
    except ValueError as problem:
        raise refused(400, str(problem)) from problem
    return json_answer(sandbox.settings.as_dict())


@served("/sandbox/control/faults", "GET", "POST", "DELETE")
def faults(call: Call) -> Answer:
    if call.method == "POST":
        try:
            fault = fault_from(call.json_object())
        except ValueError as problem:
            raise refused(400, str(problem)) from problem
        sandbox.faults.add(fault)
        return json_answer(asdict(fault), 201)
    if call.method == "DELETE":
        sandbox.faults.clear(call.param("path"))
        return Answer(204)
    return json_answer({"faults": sandbox.faults.left()})


@served("/sandbox/control/received", "GET")
def received(call: Call) -> Answer:
    """What WaddleBot's APIs got, oldest first; `api` chooses one, `after` skips numbers."""
    after = call.param("after") or "0"
    if not after.isdecimal():
        raise refused(400, "after must be a number")
    calls = sandbox.inbox.all(call.param("api"), int(after))
    return json_answer({"received": [asdict(one) for one in calls]})


@served("/sandbox/control/scores", "GET")
def scores(call: Call) -> Answer:
    return json_answer({"scores": sandbox.inbox.scores()})


@served("/sandbox/control/calls", "GET")
def calls(call: Call) -> Answer:
    return json_answer({"calls": sandbox.calls()})


@served("/sandbox/control/send", "POST")
def send(call: Call) -> Answer:
    return json_answer(happen(call.json_object()))


@served("/sandbox/control/messages", "GET")
def messages(call: Call) -> Answer:
    return json_answer({"messages": sandbox.messages.all()})
