"""The professional line (条): a guiding department sees the cases below it in its list, and does nothing with them."""


async def test_a_city_bureau_sees_its_line_in_lists_alone(desk, others):
    await desk.submitted()
    own = (await desk.get("/v1/cases", "health")).json()["items"]
    departments = others.departments
    departments.employ("city_health", "zibo.health", "370300")
    departments.employ("beside_health", "zibo.health", "370300")
    departments.posts["city_health"].line_paths.append("zibo.zhangdian.health")
    assert (await desk.get("/v1/cases", "city_health")).json()["items"] == own
    assert (await desk.get("/v1/cases", "beside_health")).json()["items"] == []
    case_id = own[0]["case_id"]
    assert (await desk.get(f"/v1/cases/{case_id}", "city_health")).status_code == 404
    accepted = await desk.post(f"/v1/cases/{case_id}:accept", {"version": own[0]["version"]}, "city_health")
    assert accepted.status_code == 404
