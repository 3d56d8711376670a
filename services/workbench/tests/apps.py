"""Apps as departments register them."""

from joserfc.jwk import ECKey, OKPKey


def a_key(key_id="k1", *, kind="EC", valid_from="2026-01-01T00:00:00+08:00", valid_until="2099-01-01T00:00:00+08:00"):
    made = ECKey.generate_key("P-256") if kind == "EC" else OKPKey.generate_key("Ed25519")
    jwk = {name: value for name, value in made.as_dict(private=False).items() if name in {"kty", "crv", "x", "y"}}
    return {"key_id": key_id, "jwk": jwk, "valid_from": valid_from, "valid_until": valid_until}


def an_app(**changes):
    return {
        "code": "vaccination",
        "name": "免疫规划信息系统",
        "org_id": "00000000-0000-7000-8000-000000000106",
        "org_path": "zibo.zhangdian.cdc",
        "region_code": "370303",
        "contact": "值班电话 0533-0000000",
        "address": "https://vaccination.example.cn/tongban",
        "client_id": "department-cdc",
        "items": ["vaccination_certificate"],
        "keys": [a_key()],
    } | changes


def without_code(app):
    return {name: value for name, value in app.items() if name != "code"}
