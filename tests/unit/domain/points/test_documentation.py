"""The policies that the documentation shows can be used as they stand."""

import re
import tomllib

import pytest

from apps.twitch_module.domain.points.policy import default_policy
from apps.twitch_module.domain.points.policy_reading import amended
from tests.processes import REPOSITORY

SHOWN = [
    (page, block)
    for page in ("README.md", "docs/points.md")
    for block in re.findall(r"```toml\n(.*?)```", (REPOSITORY / page).read_text(), re.DOTALL)
]


def test_both_pages_show_some() -> None:
    assert {"README.md", "docs/points.md"} == {page for page, _ in SHOWN}


@pytest.mark.parametrize(("page", "block"), SHOWN)
def test_each_is_a_policy(page: str, block: str) -> None:
    assert default_policy() != amended(default_policy(), tomllib.loads(block), page)
