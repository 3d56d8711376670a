"""Every door of this service, tried by everybody who may not."""

import httpx
from common.testing import Door, Matrix, Stranger, Who

from .town import FACE, FATHER, ID_CARD, ID_CARD_TYPE, MOTHER, POLICE


async def test_only_who_may_is_let_in(town):
    await town.publish()
    card = await town.issue(MOTHER)
    police, admin = Who("police", town.officer("police")), Who("admin", town.officer("admin"))
    mother, father = Who("mother", town.citizen(MOTHER)), Who("father", town.citizen(FATHER))
    elsewhere = [
        Stranger(Who("police of another district", town.officer("zichuan"))),
        Stranger(Who("another department", town.officer("civil"))),
    ]

    async def issuing():
        body = {"request_id": str(town.living.ids()), "licence_type": ID_CARD, "issuer": POLICE}
        return "/v1/licences", body | {"holders": [MOTHER], "face": FACE}

    async def renewing():
        return f"/v1/licences/{(await town.issue(MOTHER))['licence_id']}:renew", {"version": 1}

    async def voiding():
        body = {"version": 1, "kind": "revoked", "explanation": "不符合条件"}
        return f"/v1/licences/{(await town.issue(MOTHER))['licence_id']}:void", body

    async def granting():
        body = {"grantee_id": MOTHER, "licence_types": [ID_CARD], "matter_code": "newborn"}
        return "/v1/consents", body | {"valid_until": "2026-12-22T00:00:00+08:00"}

    async def withdrawing():
        return f"/v1/consents/{(await town.grant())['consent_id']}:withdraw", None

    async def asking():
        body = {"holder_id": FATHER, "licence_types": [ID_CARD], "matter_code": "newborn", "purpose": "办理出生一件事"}
        return "/v1/consent-requests", body | {"filing_id": str(town.living.ids())}

    def answering(verb, body):
        async def given():
            asked = await town.request(town.living.ids())
            return f"/v1/consent-requests/{asked['consent_request_id']}:{verb}", body

        return given

    until = {"valid_until": "2026-12-22T00:00:00+08:00"}
    doors = [
        Door("POST", "/v1/licence-types", admin, ID_CARD_TYPE),
        Door("GET", "/v1/licence-types", police),
        Door("POST", "/v1/licences", police, given=issuing, strangers=[Stranger(each.who, 403) for each in elsewhere]),
        Door("GET", "/v1/licences", police),
        Door("GET", f"/v1/licences/{card['licence_id']}", police, strangers=[*elsewhere, Stranger(father)]),
        Door("POST", "/v1/licences/x:renew", police, given=renewing, strangers=elsewhere),
        Door("POST", "/v1/licences/x:void", police, given=voiding, strangers=elsewhere),
        Door("GET", "/v1/me/licences", mother),
        Door("POST", "/v1/consents", father, given=granting),
        Door("GET", "/v1/me/consents", father),
        Door("POST", "/v1/consents/x:withdraw", father, given=withdrawing, strangers=[Stranger(mother)]),
        Door("GET", "/v1/me/verifications", mother),
        Door("POST", "/v1/consent-requests", mother, given=asking),
        Door("GET", "/v1/consent-requests", mother),
        Door("GET", "/v1/me/consent-requests", father),
        Door(
            "POST",
            "/v1/consent-requests/x:grant",
            father,
            given=answering("grant", until),
            strangers=[Stranger(mother)],
        ),
        Door(
            "POST",
            "/v1/consent-requests/x:decline",
            father,
            given=answering("decline", None),
            strangers=[Stranger(mother)],
        ),
    ]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{town.living.ports.http}") as http:
        matrix = Matrix(
            http, town.issuer, service="verification", powerless=Who("powerless", town.officer("powerless"))
        )
        assert await matrix.uncovered(doors) == (set(), set())
        knocks = await matrix.knock(doors)
    assert [knock for knock in knocks if not knock.right] == []
