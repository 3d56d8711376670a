"""Every verb of the contract by role, department and district, past the gateway: who may not is told so, and nobody is
given what is another's, even by a real token and a true name."""

import time
import uuid

import pytest
from attack.tokens import Keycloak, parts
from attack.verbs import verbs
from demo.people import Sessions, credentials
from demo.settings import Settings as DemoSettings
from tongban.accounts.v1 import account_service_pb2 as accounts
from tongban.verification.v1 import licence_pb2
from tongban.verification.v1 import licence_service_pb2 as verification
from tongban.workbench.v1 import app_service_pb2 as workbench

from attack import leaks, matrix
from attack import verbs as contract
from demo import city, newborn

VERBS = {verb.name: verb for verb in verbs()}
CITIZENS = ("lijing", "zhoulan", "maqiang")
OFFICERS = ("police", "zichuan_health", "health", "admin")
ASKED = newborn.PURPOSE
NOBODY = matrix.NOBODY


@pytest.fixture(scope="module")
def keycloak(settings, public_url):
    return Keycloak(settings.tongban_keycloak_url, public_url, settings.gateway_client_key)


@pytest.fixture(scope="module")
async def tokens(keycloak, everybody, settings):
    assert everybody, "the city is loaded"
    demo = DemoSettings()
    found = {name: (await keycloak.log_in(credentials(demo, name))).access for name in CITIZENS}
    found |= {name: (await keycloak.log_in(credentials(demo, name), "workbench")).access for name in OFFICERS}
    found["service workbench"] = await keycloak.of_service("workbench", settings.workbench_client_secret)
    found["service demo-loader"] = await keycloak.of_service("demo-loader", demo.client_secret)
    found["service department-sandbox"] = await keycloak.of_service("department-sandbox", demo.sandbox_secret)
    return found


@pytest.fixture(scope="module")
async def wire():
    async with contract.wire() as lines:
        yield lines


@pytest.fixture(scope="module")
async def matter(everybody):
    """A filing of one district, with evidence on record."""
    assert everybody, "the city is loaded"
    async with Sessions(DemoSettings()) as opened:
        mother = await opened.of("lijing")
        yield await leaks.file(mother, "lijing", "370303", int(time.time()) % 10_000_000)


@pytest.fixture
def ask(wire, tokens):
    async def told(who, verb, request=None, *, post=""):
        return await wire.ask(VERBS[verb], tokens[who], request, post=post, purpose=ASKED)

    return told


def kind_of(who, token):
    """What kind of caller it is, and what it may do."""
    if who.startswith("service "):
        return "service", parts(token)[1].get("realm_access", {}).get("roles", ())
    return matrix.held(who)


async def test_whoever_may_not_is_told_so_by_every_verb(wire, tokens):
    wrong = []
    for verb in VERBS.values():
        assert (await wire.ask(verb, None)).reason == "TOKEN_MISSING", verb.path
        for who, token in tokens.items():
            kind, held = kind_of(who, token)
            own = kind == "officer" and verb.permission in matrix.ONESELF
            if verb.service not in parts(token)[1]["aud"]:
                wanted = {"TOKEN_AUDIENCE"}
            elif kind not in verb.callers:
                wanted = {"CALLER_NOT_ALLOWED"}
            elif kind != "citizen" and verb.permission not in held and not own:
                wanted = {"PERMISSION_MISSING"}
            else:
                continue
            told = await wire.ask(verb, token)
            if told.reason not in wanted:
                wrong.append((who, verb.path, told, wanted))
    assert wrong == []


@pytest.mark.parametrize("who", ["police", "health"])
async def test_nobody_acts_in_anothers_post(ask, who):
    theirs = city.employee("admin")["post_id"]
    for name, verb in VERBS.items():
        if "officer" in verb.callers:
            told = await ask(who, name, post=theirs)
            assert (name, told.code) == (name, "PERMISSION_DENIED"), told


@pytest.mark.parametrize("who", ["police", "zichuan_health"])
async def test_posts_are_shown_of_ones_own_department_and_district(ask, who):
    own = city.employee(who)["org_path"]
    every = [officer["post_id"] for officer in city.employees()]
    orgs = [each["org_id"] for each in city.organisations()]
    shown = (await ask(who, "BatchGetPosts", accounts.BatchGetPostsRequest(post_ids=every))).answer.posts
    found = (await ask(who, "FindPosts", accounts.FindPostsRequest(org_ids=orgs))).answer.posts
    assert shown
    assert {post.org_path for post in (*shown, *found)} == {own}


async def test_persons_are_shown_masked_and_every_look_is_journalled(ask, everybody, public_url):
    assert public_url
    asked = accounts.BatchGetPersonsRequest(
        person_ids=[person["person_id"] for person in city.citizens()], purpose=ASKED
    )
    shown = (await ask("police", "BatchGetPersons", asked)).answer
    assert len(shown.persons) == len(city.citizens())
    for person in city.citizens():
        assert person["id_number"] not in str(shown)
        assert person["name"] not in [each.name_masked for each in shown.persons]
    mother = next(role.browser for role in everybody if role.name == "citizen")
    log = await mother.get("accounts/v1/me/access-log")
    assert any(each["act"] == "accounts.read_person" for each in log["items"])
    assert (await ask("police", "BatchGetPersons", accounts.BatchGetPersonsRequest())).reason == "PURPOSE_MISSING"


async def test_one_is_told_of_oneself_alone(ask):
    for who in CITIZENS:
        told = (await ask(who, "WhoAmI")).answer
        assert told.person.person_id == city.citizen(who)["person_id"]
        child = city.children()[0]["person_id"]
        wards = (await ask(who, "CheckRelations", accounts.CheckRelationsRequest(person_ids=[child]))).answer
        assert [each.person_id for each in wards.relations] == ([child] if who == "lijing" else [])


@pytest.mark.parametrize("who", ["lijing", "zhoulan"])
async def test_nobody_acts_for_a_company_that_did_not_appoint_one(ask, who):
    for company in city.legal_persons():
        for named in ({"uscc": company["uscc"]}, {"legal_person_id": company["legal_person_id"]}):
            told = await ask(who, "CheckAgent", accounts.CheckAgentRequest(**named))
            nothing = await ask(who, "CheckAgent", accounts.CheckAgentRequest(legal_person_id=NOBODY))
            assert (told.code, told.reason) == ("PERMISSION_DENIED", nothing.reason), told


async def test_nobodys_licences_are_found_without_his_consent(ask):
    """Not even whether there are any."""
    theirs = licence_pb2.LicenceQuery(
        key="x", licence_type=newborn.ID_CARD, holder_id=city.citizen("lintao")["person_id"]
    )
    nobodys = licence_pb2.LicenceQuery(key="x", licence_type=newborn.ID_CARD, holder_id=str(uuid.uuid4()))
    found = []
    for query in (theirs, nobodys):
        for request, verb in (
            (verification.FindLicencesRequest(matter_code="newborn", queries=[query]), "FindLicences"),
            (
                verification.VerifyLicencesRequest(
                    matter_code="newborn", queries=[query], filing_id=str(uuid.uuid4()), purpose=ASKED
                ),
                "VerifyLicences",
            ),
        ):
            told = await ask("maqiang", verb, request)
            (finding,) = told.answer.findings
            assert not finding.licence_id
            assert not finding.identifier
            found.append((verb, finding.finding, finding.reason))
    assert len(set(found)) == 2, found


async def test_an_agent_of_nobody_verifies_for_nobody(ask):
    company = city.legal_persons()[0]["legal_person_id"]
    request = verification.FindLicencesRequest(matter_code="newborn", on_behalf_of=company)
    assert (await ask("lijing", "FindLicences", request)).code == "PERMISSION_DENIED"


@pytest.mark.parametrize("who", ["health", "zichuan_health"])
async def test_an_officer_issues_and_corrects_for_the_own_department_alone(ask, who):
    theirs = city.organisation("zibo.zhangdian.police")
    request = verification.IssueLicenceRequest(
        request_id=str(uuid.uuid4()),
        licence_type=newborn.ID_CARD,
        issuer_uscc=theirs["uscc"],
        issuer_org_id=theirs["org_id"],
        issuer_org_path=theirs["org_path"],
        region_code=theirs["region_code"],
        holder_ids=[city.citizen("lijing")["person_id"]],
        face={"name": "李静"},
    )
    assert (await ask(who, "IssueLicence", request)).reason == "ISSUER_OUT_OF_SCOPE"


async def test_a_licence_of_another_department_is_not_corrected(ask, everybody):
    mother = next(role.browser for role in everybody if role.name == "citizen")
    mine = await matrix.every(mother, "verification/v1/me/licences")
    foreign = next(each for each in mine if each["licence_type"] == newborn.ID_CARD)
    request = verification.CorrectLicenceRequest(licence_id=foreign["licence_id"], face={"name": "别人"})
    unknown = verification.CorrectLicenceRequest(licence_id=str(uuid.uuid4()), face={"name": "别人"})
    told = await ask("health", "CorrectLicence", request)
    assert (told.code, told.reason) == ("NOT_FOUND", (await ask("health", "CorrectLicence", unknown)).reason)


async def test_what_was_verified_for_a_filing_is_verified_again_for_those_who_decide_on_it_alone(ask, matter):
    (filing,) = matter.ids["filing_id"]
    unknown = verification.ReverifyLicencesRequest(filing_id=str(uuid.uuid4()), keys=["mother_id_card"], purpose=ASKED)
    nothing = await ask("zichuan_health", "ReverifyLicences", unknown)
    for key in ("mother_id_card", "mother_identity", "id_card"):
        request = verification.ReverifyLicencesRequest(filing_id=filing, keys=[key], purpose=ASKED)
        told = await ask("zichuan_health", "ReverifyLicences", request)
        assert (told.code, told.reason) == (nothing.code, nothing.reason), told


async def test_the_registry_of_apps_is_for_services(ask):
    request = workbench.GetAppsRequest(codes=["vaccination"])
    for who in (*CITIZENS, *OFFICERS):
        assert (await ask(who, "GetApps", request)).reason == "CALLER_NOT_ALLOWED"
