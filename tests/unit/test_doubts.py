"""What is warned about at the start."""

from pathlib import Path

import pytest

from apps.twitch_module.doubts import doubts
from apps.twitch_module.settings import Settings


@pytest.fixture
def dotenv(tmp_path: Path) -> Path:
    """A .env file, to be written by the test."""
    return tmp_path / ".env"


class TestDoubts:
    def found(self, dotenv: Path | None = None, **variables: str) -> list[str]:
        return [f"{found}. {advice}" for found, advice in doubts(variables, dotenv)]

    @pytest.mark.parametrize(
        ("name", "advice"),
        [
            ("TWITCH_APPID", "Did you mean TWITCH_APP_ID?"),
            ("TWITCH_WEBHOK_SECRET_FILE", "Did you mean TWITCH_WEBHOOK_SECRET_FILE?"),
            ("TWITCH_XYZ", "Take it away"),
        ],
    )
    def test_a_twitch_variable_that_nobody_reads_is_named(self, name: str, advice: str) -> None:
        assert self.found(**{name: "hush"}) == [f"{name} is read by nobody. {advice}"]

    def test_what_others_read_of_the_environment_is_no_doubt(self) -> None:
        assert self.found(DB_URL="x", HOSTS="x", PORTS="1", PATH="/bin") == []

    def test_every_variable_that_is_read_is_none(self) -> None:
        names = [name.upper() for name in Settings.model_fields if name != "points"]
        read = [*names, *(f"{name}_FILE" for name in names), "ACTIVITY_POINTS", "POINTS_FILE"]

        assert self.found(**dict.fromkeys(read, "x")) == []

    def test_in_dotenv_whatever_looks_like_ours_is_named(self, dotenv: Path) -> None:
        dotenv.touch(0o600)
        dotenv.write_text("DB_URL=hush\nADMIN_PASSWROD=hush\nUNKNOWN=1\nPUBLIC_ULR=\n")

        assert self.found(dotenv) == [
            "ADMIN_PASSWROD is read by nobody. Did you mean ADMIN_PASSWORD?",
            "DB_URL is read by nobody. Did you mean DB_URI?",
        ]

    @pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
    def test_a_dotenv_that_others_may_read_is_named_with_the_command(
        self, dotenv: Path, mode: int
    ) -> None:
        dotenv.write_text("PORT=9000\n")
        dotenv.chmod(mode)

        (found,) = self.found(dotenv)
        assert f"(mode {mode:o}). chmod 600 {dotenv}" in found

    def test_the_demo_has_no_dotenv(self, dotenv: Path) -> None:
        dotenv.write_text("DB_URL=x\n")

        assert self.found(dotenv, SANDBOX="1") == []
