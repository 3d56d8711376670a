"""The rules of the front door."""

import pytest
from gateway.domain import (
    FACES,
    CsrfHeaderMissing,
    ForeignOrigin,
    NoSuchPath,
    check_own_page,
    destination,
    return_address,
    wanted_acr,
)
from gateway.openapi import merge
from hypothesis import given
from hypothesis import strategies as st

CITIZEN = FACES["citizen"]


@pytest.mark.parametrize(
    ("path", "face", "service", "rest"),
    [
        ("/api/accounts/v1/me", None, "accounts", "/v1/me"),
        ("/citizen/api/orchestration/v1/filings/1:submit", "citizen", "orchestration", "/v1/filings/1:submit"),
        ("/workbench/api/workbench/v1/todos", "workbench", "workbench", "/v1/todos"),
        ("/api/accounts/v1/a.b/...", None, "accounts", "/v1/a.b/..."),
    ],
)
def test_an_address_names_face_service_and_path(path: str, face: str | None, service: str, rest: str):
    found = destination(path)
    assert (found.face and found.face.name, found.service, found.path) == (face, service, rest)
    assert f"{found.prefix}{found.path}" == path


@given(st.text(alphabet="/.%2eEfF5cC\\aé \n", max_size=30))
def test_no_address_leaves_its_service(tail: str):
    try:
        found = destination(f"/api/accounts/v1/{tail}")
    except NoSuchPath:
        return
    assert found.path.startswith("/v1/")
    segments = found.path.split("/")[2:]
    assert not {"", ".", ".."} & set(segments)
    assert not any(each in found.path.lower() for each in ("%2e", "%2f", "%5c", "%25", "\\", "\n", " "))


@given(st.text(max_size=40))
def test_one_comes_back_to_the_same_face_only(tail: str):
    for asked in (tail, f"/citizen/{tail}", f"https://[{tail}", f"//[{tail}"):
        back = return_address(CITIZEN, asked)
        assert back.startswith("/citizen/")
        assert not any(each in back for each in ("\\", "\r", "\n", " "))
        assert "//" not in back.split("?")[0].split("#")[0]


@pytest.mark.parametrize(("asked", "acr"), [(None, 1), ("2", 2), ("3", 3), ("1", 1), ("9", 1), ("x", 1), ("-1", 1)])
def test_a_step_up_asks_for_more_never_for_less(asked: str | None, acr: int):
    assert wanted_acr(CITIZEN, asked) == acr
    assert wanted_acr(FACES["workbench"], asked) == max(2, acr)


def test_only_our_own_pages_change_things():
    check_own_page("https://a", csrf="1", origin="https://a", fetch_site=None)
    with pytest.raises(CsrfHeaderMissing):
        check_own_page("https://a", csrf=None, origin="https://a", fetch_site="same-origin")
    for origin, site in (("https://b", "same-origin"), ("null", "same-origin"), ("", "same-origin"), (None, "none")):
        with pytest.raises(ForeignOrigin):
            check_own_page("https://a", csrf="1", origin=origin, fetch_site=site)


def test_without_services_the_document_is_our_own():
    told = merge({}, "http://localhost")
    assert [each["name"] for each in told["tags"]] == ["gateway"]
