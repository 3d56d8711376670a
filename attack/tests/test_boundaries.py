"""Two departments and two districts hold data: nobody is shown what is another's, and nobody gets it by its name."""

import time

import pytest
from attack.cases import operations
from demo.people import Sessions
from demo.settings import Settings as DemoSettings

from attack import leaks
from demo import city

DISTRICTS = {"370303": "lijing", "370302": "zhoulan"}
OFFICERS = ("police", "health", "insurance", "civil", "zichuan", "zichuan_health", "zichuan_insurance")
SEED = 20261121


@pytest.fixture(scope="module")
async def sessions(everybody):
    assert everybody, "the city is loaded"
    async with Sessions(DemoSettings()) as opened:
        yield opened


@pytest.fixture(scope="module")
async def matters(sessions):
    serial = int(time.time()) % 10_000_000
    return {
        region: await leaks.file(await sessions.of(mother), mother, region, serial)
        for region, mother in DISTRICTS.items()
    }


@pytest.fixture(scope="module")
def doors(document):
    return operations(document)


def foreign(matters, officer):
    """The cases of other departments and districts, and the filings of other districts."""
    org_path = city.employee(officer)["org_path"]
    of_others = {case for matter in matters.values() for case in matter.of_others(org_path)}
    for matter in matters.values():
        if all(case in of_others for case in matter.cases):
            of_others |= {each for ids in matter.ids.values() for each in ids}
    return of_others


@pytest.mark.timeout(240)
@pytest.mark.parametrize("officer", OFFICERS)
async def test_no_list_search_or_count_shows_another_departments_case(sessions, matters, doors, officer):
    person, others = await sessions.of(officer), foreign(matters, officer)
    leaked, looked = [], 0
    async for asked, answer in leaks.shown(person, leaks.lists(doors, "officer")):
        looked += answer.is_success
        leaked += [(asked, each) for each in others if each in answer.text]
    assert leaked == []
    assert looked > 20


@pytest.mark.timeout(240)
@pytest.mark.parametrize("officer", OFFICERS)
async def test_nobody_reads_or_writes_another_departments_case_by_its_name(sessions, matters, doors, officer):
    person, others = await sessions.of(officer), foreign(matters, officer)
    opened, knocked = [], 0
    for matter in matters.values():
        # one case of each other department is enough
        ids = {kind: [each for each in found if each in others][:3] for kind, found in matter.ids.items()}
        for method, path, body in leaks.named(doors, "officer", ids, SEED):
            answer = await leaks.unhurried(person, method, path, body)
            knocked += 1
            if answer.status_code not in leaks.SILENT:
                opened.append((method, path, answer.status_code, answer.text[:200]))
    assert opened == []
    assert knocked > 20


@pytest.mark.timeout(240)
@pytest.mark.parametrize("region", DISTRICTS)
async def test_an_applicant_sees_and_gets_her_own_alone(sessions, matters, doors, region):
    person = await sessions.of(DISTRICTS[region])
    theirs = next(matter for name, matter in matters.items() if name != region)
    others = {each for ids in theirs.ids.values() for each in ids}
    leaked = [
        (asked, each)
        async for asked, answer in leaks.shown(person, leaks.lists(doors, "citizen"))
        for each in others
        if each in answer.text
    ]
    for method, path, body in leaks.named(doors, "citizen", theirs.ids, SEED):
        answer = await leaks.unhurried(person, method, path, body)
        if answer.status_code not in leaks.SILENT:
            leaked.append((method, path, answer.status_code, answer.text[:200]))
    assert leaked == []
