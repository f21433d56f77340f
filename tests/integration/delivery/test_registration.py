"""services/delivery/registration.py: the core is told of this module, again when it failed."""

from apps.twitch_module.clients.http import HTTPClient
from apps.twitch_module.clients.waddlebot import WaddleBotClient
from apps.twitch_module.configuration import load_settings
from apps.twitch_module.models.database import Database
from apps.twitch_module.services.delivery.registration import Registration
from tests.environment import environment
from tests.processes import Sandbox, wait_until


def test_it_registers_again_when_the_core_has_failed(database: Database, sandbox: Sandbox) -> None:
    variables = environment(CORE_API_URL=f"{sandbox.url}/waddlebot")
    client = WaddleBotClient(HTTPClient(1), load_settings(variables, None))
    modules = "/sandbox/waddlebot/api/modules"
    for route, times in (("register", 2), ("heartbeat", 1)):
        fault = {"path": f"{modules}/{route}", "status": 500, "times": times}
        sandbox.control("faults", fault)
    registration = Registration(
        database,
        client,
        webhook_url="https://bot.example/twitch/webhook",
        events=["channel.follow"],
        seconds=0.05,
    )

    def noted() -> list[str]:
        found = sandbox.control("received?api=core")["received"]
        return ["registration" if "config" in one["json"] else "heartbeat" for one in found]

    registration.start()
    wait_until(lambda: len(noted()) >= 3)
    registration.begin_stop()
    registration.wait(5)

    # Two registrations fail before this one, and a heartbeat between it and the next.
    assert ["registration", "registration", "heartbeat"] == noted()[:3]
    assert 4 == sandbox.control("calls")["calls"][f"POST {modules}/register"]
