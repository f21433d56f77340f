"""The wizard's last step: the channel is monitored, and its subscriptions are made."""

from collections import Counter

import click

from ...clients.port_probe import is_listening
from ...common import Services
from ...domain.access.callers import Actor
from ...errors import ModuleError
from ..installation import Installation
from ..remote import Typed, connected
from ..terminal import say
from .asking import agreed
from .questions import Answers


def offer_channel(installation: Installation, services: Services, answers: Answers) -> None:
    """Add the channel if that is wanted; a service that runs here sets it up at once."""
    later = f"cli channels add {answers.channel}"
    if not agreed(f"Monitor the channel {answers.channel} now?"):
        say(f"Later: {later}")
        return
    try:
        channel, is_new = services.subscriptions.channels.add(
            Actor("cli", name="setup"), channel_name=answers.channel
        )
    except ModuleError as error:
        say(f"The channel could not be added: {error}. Later: {later}")
        return
    begun = "is monitored from now on" if is_new else "was monitored already"
    say(f"{channel.display_name} ({channel.channel_id}) {begun}")
    if is_listening(answers.settings.host, answers.settings.port):
        _set_up(installation, channel.channel_id, channel.channel_name)
    else:
        say("Its subscriptions are made when the service starts")


def _set_up(installation: Installation, channel_id: str, login: str) -> None:
    """Have the running service make the subscriptions; what came of it."""
    nobody = Typed(None, None, None, False, None, False)
    try:
        with connected(installation, nobody) as api:
            document = api.call("POST", f"/twitch/api/setup/{channel_id}").document
    except (ModuleError, click.UsageError) as error:
        say(f"Its subscriptions are not made yet: {error}. Later: cli channels setup {login}")
        return
    outcomes = Counter(one["outcome"] for one in document["results"])
    counted = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
    say(f"Its subscriptions: {counted}")
