"""Settings, sentences and what the log keeps to itself."""

import importlib
import json
import pkgutil

import common
import pytest
from common import config, telemetry
from common.errors import Conflict, Kind, NotFound, Refusal, RemoteRefusal
from pydantic import SecretStr, ValidationError


class Settings(config.Settings, env_prefix="SHOP_"):
    database_url: str
    client_secret: str
    pin: SecretStr = SecretStr("1234")
    data_keys: dict[str, str] = {}  # noqa: RUF012
    clients: list[str] = ["gateway"]  # noqa: RUF012
    http_port: int = 1


class ShopIsShut(Refusal):
    """The shop is shut."""


def test_settings_come_from_the_environment_and_are_shown_without_secrets(monkeypatch):
    monkeypatch.setenv("SHOP_DATABASE_URL", "postgresql://shop:hunter2@localhost:5432/shop")
    monkeypatch.setenv("SHOP_CLIENT_SECRET", "s3cret")
    monkeypatch.setenv("SHOP_DATA_KEYS", '{"k1": "abcd"}')
    settings = Settings()
    assert settings.data_keys == {"k1": "abcd"}
    assert settings.describe() == {
        "database_url": "postgresql://shop:***@localhost:5432/shop",
        "client_secret": "***",
        "pin": "***",
        "data_keys": "***",
        "clients": ["gateway"],
        "http_port": 1,
    }
    with pytest.raises(ValidationError):
        settings.http_port = 2


def test_a_secret_has_no_default(monkeypatch):
    monkeypatch.delenv("SHOP_CLIENT_SECRET", raising=False)
    with pytest.raises(ValidationError):
        Settings(database_url="x")


def sentences(tmp_path, own):
    (tmp_path / "zh_CN.json").write_text(json.dumps(own), encoding="utf-8")
    return config.sentences(tmp_path)


def test_every_refusal_of_ours_has_a_sentence(tmp_path):
    for module in pkgutil.walk_packages(common.__path__, "common."):
        importlib.import_module(module.name)
    sentences(tmp_path, {}).require("common")


def test_every_kind_has_a_sentence(tmp_path):
    assert {kind.name for kind in Kind} <= set(sentences(tmp_path, {}).by_reason)


def test_a_sentence_is_filled_and_falls_back_to_its_family(tmp_path):
    class DrawerUnknown(NotFound):
        """No such drawer."""

    say = sentences(tmp_path, {"SHOP_IS_SHUT": "{shop}已打烊，{missing}"}).say
    assert say(ShopIsShut(shop="一号店")) == "一号店已打烊，…"
    assert say(DrawerUnknown()) == "没有找到，或者您无权查看"
    assert say(RemoteRefusal("THEIR_REASON", kind=Kind.CONFLICT, sentence="他们的话")) == "他们的话"
    assert say(RemoteRefusal("THEIR_REASON", kind=Kind.CONFLICT)) == say(Conflict())


def test_a_silent_refusal_is_found():
    with pytest.raises(RuntimeError, match="SHOP_IS_SHUT"):
        config.Sentences({}).require(ShopIsShut.__module__.split(".")[0])


@pytest.mark.parametrize(
    ("name", "reason"),
    [("CaseAlreadyDecided", "CASE_ALREADY_DECIDED"), ("NotFound", "NOT_FOUND"), ("OCRFailed", "OCRFAILED"), ("A", "A")],
)
def test_the_reason_is_the_name(name, reason):
    assert type(name, (Refusal,), {}).reason == reason


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("called 13812345678 twice", False),
        ("+8613812345678", False),
        ("370303199001011234", False),
        ("37030319900101123x", False),
        ({"deep": ["370303199001011234"]}, False),
        (13812345678, False),
        ("Bearer abc.def", False),
        ("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", False),
        ("01930000-0000-7000-8000-138123456789", True),
        ("4bf92f3577b34da6a3ce929d0e0e4736", True),
        ("2026-11-21T09:00:00+08:00", True),
        (370303, True),
        (1.5, True),
        (None, True),
        (True, True),
    ],
)
def test_the_log_cuts_out_what_looks_like_a_person(capsys, value, kept):
    telemetry.log.info("shop.opened", field=value)
    line = json.loads(capsys.readouterr().out)
    assert line["event"] == "shop.opened"
    assert (line["field"] == value) is kept
    assert kept or "***" in json.dumps(line["field"])


def fail(error):
    raise error


@pytest.mark.parametrize(
    ("error", "message"),
    [(ValueError("张三的住址"), None), (KeyError("张三"), None), (TypeError("13812345678 is\nno int"), "*** is")],
)
def test_an_exception_is_logged_with_its_stack_and_no_data(capsys, error, message):
    with pytest.raises(type(error)) as raised:
        fail(error)
    telemetry.log.error("shop.failed", exc_info=raised.value)
    line = json.loads(capsys.readouterr().out)
    assert (line["error"], line.get("message")) == (type(error).__name__, message)
    assert any("test_config.py" in each for each in line["stack"])
    assert "张三" not in json.dumps(line, ensure_ascii=False)


def test_spans_nest_and_continue_what_came_from_outside():
    assert telemetry.trace_id() == ""
    with telemetry.span("outer"):
        outer = telemetry.trace_id()
        with telemetry.span("inner"):
            assert telemetry.trace_id() == outer
        with telemetry.span("foreign", parent=f"00-{'a' * 32}-{'b' * 16}-01"):
            assert telemetry.traceparent().startswith(f"00-{'a' * 32}-")
            assert telemetry.traceparent().endswith("-01")
        for wrong in ("nonsense", f"00-{'0' * 32}-{'b' * 16}-01", f"00-{'A' * 32}-{'b' * 16}-01"):
            with telemetry.span("wrong", parent=wrong):
                assert telemetry.trace_id() == outer
    assert telemetry.traceparent() == ""
