"""The outside world of the Twitch module, for the demo and for the tests.

Plays Twitch (oauth2, helix, EventSub) and WaddleBot's own APIs (context, reputation,
gateway). Its routes exist only where SANDBOX=1 says so: a production server that finds
this folder beside its own serves nothing of it.
"""

import os

if os.environ.get("SANDBOX") == "1":
    from py4web import action

    # py4web names the app that it is loading. An import by anybody else (`python -m
    # apps.sandbox` imports the package first) would bind the routes to no app at all.
    if action.app_name == "sandbox":
        from . import (  # noqa: F401  # each brings its routes
            consent,
            control,
            control_grants,
            control_subscriptions,
            control_users,
            device,
            eventsub,
            helix,
            oauth2,
            page,
            waddlebot,
        )
