"""What an operator sets, and what is refused at the start rather than later."""

import pytest
from pydantic import ValidationError

from posecascade.service.settings import Settings


def test_everything_has_a_default_that_asks_for_nothing() -> None:
    settings = Settings()

    assert (settings.max_bytes, settings.max_pixels) == (16 * 2**20, 40_000_000)
    assert settings.keys == ()


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSECASCADE_PORT", "9000")
    monkeypatch.setenv(
        "POSECASCADE_KEYS",
        '[{"key": "secret-123", "name": "lab", "scopes": ["poses"]}]',
    )
    monkeypatch.setenv("POSECASCADE_ALLOWED_ORIGINS", '["https://lab.example"]')

    settings = Settings()

    assert (settings.port, settings.allowed_origins) == (9000, ("https://lab.example",))
    assert settings.keys[0].scopes == {"poses"}
    assert "secret-123" not in repr(settings)


@pytest.mark.parametrize(("name", "value"), [
    ("port", 70000), ("threads", 0), ("max_bytes", 0), ("body_timeout_s", -1), ("coarse_queue", 0),
    ("keys", [{"key": "short", "name": "x"}]), ("keys", [{"key": "long-enough", "name": "x", "scopes": ["root"]}]),
    ("keys", [{"key": "long-enough"}]), ("prot", 80),
])  # fmt: skip
def test_a_setting_that_cannot_be_meant_is_refused_by_name(
    name: str, value: object
) -> None:
    with pytest.raises(ValidationError, match=name):
        Settings.model_validate({name: value})
