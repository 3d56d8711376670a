"""What people log in with obeys the realms' rules, every time."""

from tools.runner import instance


def test_passwords_are_taken_whatever_chance_gives(monkeypatch) -> None:
    monkeypatch.setattr(instance.secrets, "token_urlsafe", lambda _size: "x" * 32)
    password = instance.generate_secrets()["officer_password"]
    assert any(letter.isdigit() for letter in password)
    assert any(letter.isupper() for letter in password)
    assert any(letter.islower() for letter in password)
