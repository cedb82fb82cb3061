"""Settings: defaults, and that a wrong one names itself, its value and what is accepted, never a secret."""

import pytest

from card_generation.settings import Settings, SettingsError, load_settings

SECRET = "0123456789abcdef"


def load(**environment: str) -> Settings:
    return load_settings({"SPACEY_GENERATION_SECRET": SECRET} | environment)


def problems(environment: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings({"SPACEY_GENERATION_SECRET": SECRET} | environment)
    return caught.value.problems


def test_defaults() -> None:
    settings = load()
    assert (settings.host, settings.port, settings.model) == ("127.0.0.1", 8091, None)
    assert str(settings.data_dir) == "data/card-generation"
    assert not settings.exit_with_parent
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("SPACEY_GENERATION_HOST", "0.0.0.0", "SPACEY_GENERATION_ALLOW_NON_LOOPBACK"),  # noqa: S104
        ("SPACEY_GENERATION_HOST", "example", "an IP address"),
        ("SPACEY_GENERATION_PORT", "80 80", "from 0 to 65535"),
        ("SPACEY_GENERATION_PORT", "65536", "from 0 to 65535"),
        ("SPACEY_GENERATION_PORT", "-1", "from 0 to 65535"),
        ("SPACEY_GENERATION_CONCURRENCY", "0", "from 1 to 64"),
        ("SPACEY_GENERATION_TIMEOUT_SECONDS", "nan", "above 0"),
        ("SPACEY_GENERATION_CONNECT_TIMEOUT_SECONDS", "soon", "above 0"),
        ("SPACEY_GENERATION_EXIT_WITH_PARENT", "maybe", "one of 0, 1"),
        ("SPACEY_GENERATION_LOG", "loud", "one of debug"),
        ("OPENAI_BASE_URL", "ftp://models", "http or https"),
        ("OPENAI_BASE_URL", "http://", "http or https"),
        ("OPENAI_BASE_URL", "http://[::1", "http or https"),
        ("OPENAI_BASE_URL", "http://models/v1?a=b", "without user, query"),
    ],
)
def test_a_wrong_setting_says_what_is_accepted(name: str, value: str, accepted: str) -> None:
    (problem,) = problems({name: value})
    assert problem.startswith(name)
    assert repr(value) in problem
    assert accepted in problem


@pytest.mark.parametrize("value", ["", "short-secret", "ß" * 20])
def test_a_bad_secret_is_named_and_not_shown(value: str) -> None:
    (problem,) = problems({"SPACEY_GENERATION_SECRET": value})
    assert problem.startswith("SPACEY_GENERATION_SECRET")
    assert "at least 16" in problem
    assert not value or value not in problem


def test_secrets_in_other_settings_are_not_shown() -> None:
    found = problems({"OPENAI_BASE_URL": "https://me:hidden@models/v1", "OPENAI_API_KEY": "hiddenß"})
    assert [problem.split()[0] for problem in found] == ["OPENAI_BASE_URL", "OPENAI_API_KEY"]
    assert "hidden" not in "".join(found)


def test_all_problems_are_told_at_once() -> None:
    assert len(problems({"SPACEY_GENERATION_PORT": "x", "SPACEY_GENERATION_SECRET": ""})) == 2


def test_another_address_when_allowed() -> None:
    settings = load(SPACEY_GENERATION_HOST="10.1.2.3", SPACEY_GENERATION_ALLOW_NON_LOOPBACK="1")
    assert settings.host == "10.1.2.3"


@pytest.mark.parametrize(
    ("environment", "base_url"),
    [
        ({"OPENAI_API_KEY": "key"}, "https://api.openai.com/v1"),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:1/v1/"}, "http://127.0.0.1:1/v1"),
    ],
)
def test_a_key_or_an_address_chooses_the_model(environment: dict[str, str], base_url: str) -> None:
    model = load(**environment).model
    assert model is not None
    assert model.base_url == base_url
    assert "key" not in repr(model.api_key)
