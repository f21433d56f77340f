"""`doctor`: what is right, what is wrong, and what to do."""

from collections.abc import Iterator
from dataclasses import asdict, astuple

import click

from ...doubts import doubts
from ...errors import ConfigurationError
from ...logs import configure_logs
from ..demo_installation import running_demo
from ..installation import Installation
from ..setup.bot import BOT_NAME
from ..terminal import Column, say, show_json, show_list
from .check import OK, WARNING, WRONG, Check, Examination, Finding, carry_out
from .local_checks import check_database, check_keys
from .token_checks import check_scopes, check_tokens
from .twitch_checks import (
    check_callback,
    check_clock,
    check_credentials,
    check_redirect,
    check_subscriptions,
)
from .waddlebot_checks import check_context, check_core, check_gateway, check_reputation
from .work_checks import check_deliveries, check_work

_CHECKS: dict[str, Check] = {
    "database": check_database,
    "encryption keys": check_keys,
    "clock": check_clock,
    "client credentials": check_credentials,
    "redirect URL": check_redirect,
    "callback URL": check_callback,
    "scopes": check_scopes,
    "tokens": check_tokens,
    "subscriptions": check_subscriptions,
    "work": check_work,
    "deliveries": check_deliveries,
    "context API": check_context,
    "reputation API": check_reputation,
    "gateway API": check_gateway,
    "core API": check_core,
}
_COLUMNS = (
    "check",
    Column("result", "status"),
    Column("what was found", "prose"),
    Column("what to do", "prose"),
)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.option("--demo", is_flag=True, help="Examine the demo that make run has started.")
@click.pass_obj
def doctor(installation: Installation, as_json: bool, demo: bool) -> None:
    """Find out what is right, what is wrong, and what to do.

    Exit status 1 when something is wrong. Changes nothing, and shows no secret.

    Example: cli doctor
    """
    configure_logs("ERROR")
    if demo:
        installation = running_demo(installation)
    findings = [*_configuration(installation), *_examined(installation)]
    wrong = sum(finding.result == WRONG for finding in findings)
    if as_json:
        show_json({"ok": not wrong, "checks": [asdict(finding) for finding in findings]})
    else:
        show_list(_COLUMNS, [astuple(one) for one in findings])
        say(f"{wrong} checks found something wrong" if wrong else "Nothing is wrong")
    raise SystemExit(1 if wrong else 0)


def _configuration(installation: Installation) -> Iterator[Finding]:
    """Every problem of the configuration."""
    name, file = "configuration", installation.env_file
    advice = f"Mend it in {file.name}, or in the environment; README, Configuration"
    try:
        installation.settings()
    except ConfigurationError as error:
        for problem in error.problems:
            yield Finding(name, WRONG, problem, advice)
    else:
        yield Finding(name, OK, "every value can be used")
    for found, advice in doubts(installation.environ, file):
        yield Finding(name, WARNING, found, advice)


def _examined(installation: Installation) -> Iterator[Finding]:
    """What the other checks find, as far as they can be made."""
    settings, faulty = installation.usable_settings()
    bot_name = installation.variables().get(BOT_NAME, "")
    examination = Examination(settings, faulty, bot_name)
    for name, check in _CHECKS.items():
        yield from carry_out(name, check, examination)
