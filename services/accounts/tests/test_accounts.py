"""Account states: who is suspended or closed is let in nowhere, and is told why; the log-in server hears of it."""

import pytest
from accounts.domain import account as accounts
from accounts.domain.account import Account, AccountAlreadyClosed, AccountKind, AccountState
from accounts.usecases.states import tell_log_in_server
from common.errors import RemoteRefusal
from tongban.accounts.v1 import account_service_pb2 as pb

from .city import CHILD, FATHER, OFFICERS, PERSON, post_of

WHY = {"reason": "本人报失，核实前停用"}


def reason(answer):
    return answer.status_code, answer.json()["reason"]


def path(kind, account_id, verb=""):
    return f"accounts/{kind}/{account_id}" + (f":{verb}" if verb else "")


PERSON_PATH = ("person", PERSON["person_id"])
READER_PATH = ("employee", OFFICERS["reader"][0])


class LogIns:
    """Remembers what the log-in server was told; away as often as wanted."""

    def __init__(self, away=0):
        self.told, self.away = [], away

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def let_in(self, realm, attribute, identity, *, active):
        if self.away:
            self.away -= 1
            raise ConnectionError
        self.told.append((realm, attribute, identity, active))


async def test_a_suspended_citizen_is_turned_away_until_reactivated(city, facts):
    await city.register()
    suspended = await city.tell(path(*PERSON_PATH, "suspend"), WHY, city.officer("mayor"))
    assert (suspended["state"], suspended["reason"], suspended["version"]) == ("suspended", WHY["reason"], 1)
    for door in ("/v1/me", "/v1/me/access-log", "/v1/organisations"):
        assert reason(await city.ask("GET", door, city.citizen())) == (403, "ACCOUNT_SUSPENDED")
    with pytest.raises(RemoteRefusal) as refused:
        await city.call("WhoAmI", pb.WhoAmIRequest(), city.citizen())
    assert refused.value.reason == "ACCOUNT_SUSPENDED"
    again = await city.ask("POST", f"/v1/{path(*PERSON_PATH, 'suspend')}", city.officer("mayor"), WHY)
    assert reason(again) == (409, "ACCOUNT_ALREADY_SUSPENDED")
    await city.tell(path(*PERSON_PATH, "reactivate"), {"reason": "已核实"}, city.officer("mayor"))
    assert (await city.ask("GET", "/v1/me", city.citizen())).status_code == 200
    assert {entry["act"] for entry in await city.access_log()} >= {"accounts.suspend_account"}
    assert [fact.version for fact in await facts("AccountSuspended")] == [1]
    assert [(fact.account_id, fact.kind) for fact in await facts("AccountReactivated")] == [
        (PERSON["person_id"], "person")
    ]


async def test_a_suspended_officer_acts_nowhere_nor_does_a_delegate(city, facts):
    until = {"delegate_id": OFFICERS["powerless"][0], "valid_until": "2027-01-01T00:00:00Z"}
    lent = await city.tell("delegations", until, city.officer("revealer"))
    revealer = ("employee", OFFICERS["revealer"][0])
    await city.tell(path(*revealer, "suspend"), WHY, city.officer("chief"))
    assert reason(await city.ask("GET", "/v1/organisations", city.officer("revealer"))) == (403, "ACCOUNT_SUSPENDED")
    for post_id, by, said in (
        ("", "revealer", "ACCOUNT_SUSPENDED"),
        (lent["delegation_id"], "powerless", "POST_NOT_HELD"),
    ):
        with pytest.raises(RemoteRefusal) as refused:
            await city.call("ResolvePost", pb.ResolvePostRequest(post_id=post_id), city.officer(by))
        assert refused.value.reason == said
    # Whoever remembers the posts is told to forget them.
    told = {(fact.post_id, fact.employee_id) for fact in (await facts("PostChanged"))[-2:]}
    assert told == {(post_of("revealer"), revealer[1]), (lent["delegation_id"], OFFICERS["powerless"][0])}


async def test_closed_is_for_good(city):
    await city.register()
    await city.tell(path(*PERSON_PATH, "close"), WHY)
    assert reason(await city.ask("GET", "/v1/me", city.citizen())) == (403, "ACCOUNT_CLOSED")
    for verb in ("suspend", "reactivate", "close"):
        answer = await city.ask("POST", f"/v1/{path(*PERSON_PATH, verb)}", city.service(), WHY)
        assert reason(answer) == (409, "ACCOUNT_ALREADY_CLOSED")
    assert (await city.ask("GET", f"/v1/{path(*PERSON_PATH)}", city.service())).json()["state"] == "closed"


async def test_who_judges_is_somebody_else_and_within_scope(city):
    chief = ("employee", OFFICERS["chief"][0])
    own = await city.ask("POST", f"/v1/{path(*chief, 'suspend')}", city.officer("chief"), WHY)
    assert reason(own) == (403, "OWN_ACCOUNT")
    elsewhere = await city.ask("POST", f"/v1/{path(*READER_PATH, 'suspend')}", city.officer("zichuan_chief"), WHY)
    assert reason(elsewhere) == (404, "EMPLOYEE_NOT_FOUND")
    unknown = await city.ask("POST", f"/v1/{path('person', CHILD['person_id'], 'suspend')}", city.service(), WHY)
    assert reason(unknown) == (404, "PERSON_NOT_FOUND")
    empty = await city.ask("POST", f"/v1/{path(*READER_PATH, 'suspend')}", city.officer("chief"), {"reason": " "})
    assert reason(empty) == (422, "REQUEST_INVALID")
    active = await city.ask("POST", f"/v1/{path(*READER_PATH, 'reactivate')}", city.officer("chief"), WHY)
    assert reason(active) == (409, "ACCOUNT_NOT_SUSPENDED")


async def test_the_log_in_server_hears_of_it_once_and_after_an_outage(city, rows):
    await city.register()
    await city.register(**FATHER)
    await city.tell(path(*PERSON_PATH, "suspend"), WHY)
    await city.tell(path(*READER_PATH, "close"), WHY)
    server, store = LogIns(away=1), city.living.app.store
    with pytest.raises(ConnectionError):
        await tell_log_in_server(store, lambda: server)
    assert await tell_log_in_server(store, lambda: server) == 2
    assert sorted(server.told) == [
        ("citizen", "person_id", PERSON["person_id"], False),
        ("gov", "employee_id", OFFICERS["reader"][0], False),
    ]
    assert await tell_log_in_server(store, lambda: server) == 0
    await city.tell(path(*PERSON_PATH, "reactivate"), WHY)
    assert await tell_log_in_server(store, lambda: server) == 1
    assert server.told[-1] == ("citizen", "person_id", PERSON["person_id"], True)
    for row in await rows("SELECT reason FROM accounts"):
        assert WHY["reason"].encode() not in row["reason"]


@pytest.mark.parametrize("change", [accounts.suspend, accounts.reactivate, accounts.close])
def test_nothing_opens_a_closed_account(change, clock):
    closed = Account(PERSON["person_id"], AccountKind.PERSON, AccountState.CLOSED, version=3)
    with pytest.raises(AccountAlreadyClosed):
        change(closed, "x", at=clock())
