"""Every way a token is refused, and how keys are fetched."""

import asyncio
import base64
import time

import orjson
import pytest
from common.auth import Authenticator, CachedPosts, CachedStanding, Call, CallerUnknown, ServiceToken, Verifier
from common.auth import tokens as refusals
from common.auth.own import ServiceTokenUnavailable
from common.errors import Refusal
from common.permissions import Caller, Post
from common.testing import Issuer
from joserfc.jwk import RSAKey

CALL = Call("tickets.assign_ticket")


@pytest.fixture
async def issuer():
    async with Issuer().serve() as served:
        yield served


@pytest.fixture
def verifier(issuer):
    return Verifier(issuer.url, "tickets", ["gateway", "dispatch"], refetch_after=10)


def forged(header, claims, signature="AAAA"):
    parts = [base64.urlsafe_b64encode(orjson.dumps(each)).rstrip(b"=").decode() for each in (header, claims)]
    return ".".join([*parts, signature])


async def test_a_good_token_tells_who_calls(issuer, verifier):
    token = issuer.token("gov", employee_id="e1", aud=["tickets", "other"], acr=2, roles=["tickets:a"])
    claims = await verifier.verify(token)
    assert (claims.realm, claims.employee_id, claims.acr, claims.client) == ("gov", "e1", 2, "gateway")
    assert claims.roles == {"tickets:a"}
    assert claims.session == "sid-e1"


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"aud": "dispatch"}, refusals.TokenAudience),
        ({"aud": ["account"]}, refusals.TokenAudience),
        ({"aud": None}, refusals.TokenAudience),
        ({"aud": {"tickets": 1}}, refusals.TokenAudience),
        ({"azp": "stranger"}, refusals.TokenClient),
        ({"azp": None}, refusals.TokenClient),
        ({"azp": ["gateway"]}, refusals.TokenClient),
        ({"typ": "ID"}, refusals.TokenType),
        ({"typ": "Logout"}, refusals.TokenType),
        ({"typ": "Refresh"}, refusals.TokenType),
        ({"typ": None}, refusals.TokenType),
        ({"exp": 1}, refusals.TokenExpired),
        ({"exp": None}, refusals.TokenMalformed),
        ({"exp": "9999999999"}, refusals.TokenMalformed),
        ({"exp": True}, refusals.TokenMalformed),
        ({"iat": None}, refusals.TokenMalformed),
        ({"iat": int(time.time()) + 600}, refusals.TokenNotYetValid),
        ({"nbf": int(time.time()) + 600}, refusals.TokenNotYetValid),
        ({"iss": "http://localhost/realms/gov"}, refusals.TokenIssuer),
        ({"iss": None}, refusals.TokenIssuer),
        ({"iss": ["x"]}, refusals.TokenIssuer),
        ({"sub": None}, refusals.TokenMalformed),
        ({"sub": ""}, refusals.TokenMalformed),
        ({"employee_id": 7}, refusals.TokenMalformed),
    ],
)
async def test_one_wrong_claim_is_enough(issuer, verifier, wrong, refusal):
    with pytest.raises(refusal):
        await verifier.verify(issuer.token("gov", **({"employee_id": "e1", "aud": "tickets"} | wrong)))


@pytest.mark.parametrize(
    ("header", "refusal"),
    [
        ({"alg": "none"}, refusals.TokenAlgorithm),
        ({"alg": "NONE"}, refusals.TokenAlgorithm),
        ({"alg": None}, refusals.TokenAlgorithm),
        ({"alg": "RS512"}, refusals.TokenAlgorithm),
        ({"alg": "RS256"}, refusals.TokenMalformed),
        ({"alg": "RS256", "kid": 7}, refusals.TokenMalformed),
        ({"alg": "RS256", "kid": "../../etc"}, refusals.TokenKeyUnknown),
        ({"alg": "RS256", "kid": "k", "crit": ["exp"]}, refusals.TokenMalformed),
        ({"alg": "RS256", "kid": "k", "b64": False}, refusals.TokenMalformed),
    ],
)
async def test_headers_are_not_obeyed(issuer, verifier, header, refusal):
    claims = issuer.claims("gov", employee_id="e1", aud="tickets")
    for signature in ("", "AAAA"):
        with pytest.raises(refusal):
            await verifier.verify(forged(header, claims, signature))


@pytest.mark.parametrize("junk", ["", ".", "..", "a.b", "a.b.c.d", "ä.ö.ü", "e30.e30.e30", "W10.W10.", "\ud800.a.b"])
async def test_what_is_no_token_is_refused(verifier, junk):
    with pytest.raises(Refusal) as refused:
        await verifier.verify(junk)
    assert refused.value.reason in {"TOKEN_MALFORMED", "TOKEN_ALGORITHM"}


async def test_the_public_key_is_not_a_secret(issuer, verifier):
    for secret in (issuer.key("gov").as_pem(private=False), issuer.key("gov").as_der(private=False)):
        with pytest.raises(refusals.TokenAlgorithm):
            await verifier.verify(issuer.token_by_secret("gov", secret, employee_id="e1", aud="tickets"))


async def test_another_key_under_a_known_name_is_refused(issuer, verifier):
    thief = RSAKey.generate_key(2048, {"kid": issuer.key("gov").kid}, private=True)
    with pytest.raises(refusals.TokenSignature):
        await verifier.verify(issuer.token("gov", key=thief, employee_id="e1", aud="tickets"))


async def test_a_key_sent_along_is_ignored(issuer, verifier):
    thief = RSAKey.generate_key(2048, {"kid": "mine"}, private=True)
    header = {"jwk": thief.as_dict(private=False), "jku": "http://127.0.0.1:1/keys"}
    with pytest.raises(refusals.TokenKeyUnknown):
        await verifier.verify(issuer.token("gov", key=thief, header=header, employee_id="e1", aud="tickets"))


async def test_a_realm_does_not_sign_for_the_other(issuer, verifier):
    with pytest.raises(refusals.TokenKeyUnknown):
        await verifier.verify(issuer.token("gov", key=issuer.key("citizen"), employee_id="e1", aud="tickets"))


async def test_changed_claims_break_the_signature(issuer, verifier):
    head, _, signature = issuer.token("gov", employee_id="e1", aud="tickets").split(".")
    claims = issuer.claims("gov", employee_id="e2", aud="tickets")
    changed = forged({}, claims, signature).split(".")
    with pytest.raises(refusals.TokenSignature):
        await verifier.verify(".".join([head, *changed[1:]]))


async def test_an_oversized_token_is_not_even_read(issuer, verifier):
    with pytest.raises(refusals.TokenTooLong):
        await verifier.verify(issuer.token("gov", employee_id="e1", aud="tickets", padding="x" * 8192))
    assert issuer.fetches == 0


async def test_keys_are_fetched_once_for_all_who_wait(issuer, verifier):
    sent = [issuer.token("gov", employee_id=f"e{each}", aud="tickets") for each in range(30)]
    await asyncio.gather(*(verifier.verify(each) for each in sent))
    assert issuer.fetches == 1


async def test_a_flood_of_unknown_keys_fetches_at_most_once(issuer, verifier):
    await verifier.verify(issuer.token("gov", employee_id="e1", aud="tickets"))
    claims = issuer.claims("gov", employee_id="e1", aud="tickets")
    flood = [forged({"alg": "RS256", "kid": f"k{each}"}, claims) for each in range(300)]
    answers = await asyncio.gather(*(verifier.verify(each) for each in flood), return_exceptions=True)
    assert {type(each) for each in answers} == {refusals.TokenKeyUnknown}
    assert issuer.fetches <= 2
    await verifier.verify(issuer.token("gov", employee_id="e2", aud="tickets"))


async def test_rotation_is_noticed_and_old_tokens_live_on(issuer):
    verifier = Verifier(issuer.url, "tickets", ["gateway"], refetch_after=0)
    old = issuer.token("gov", employee_id="e1", aud="tickets")
    await verifier.verify(old)
    issuer.rotate("gov")
    await verifier.verify(issuer.token("gov", employee_id="e1", aud="tickets"))
    await verifier.verify(issuer.token("gov", employee_id="e1", aud="tickets", jti="another") and old)
    assert issuer.fetches == 2


async def test_a_key_that_is_taken_back_opens_nothing_soon_after(issuer, monkeypatch):
    monkeypatch.setattr(refusals, "_KEYS_LIVE", 0.0)
    verifier = Verifier(issuer.url, "tickets", ["gateway"], refetch_after=0)
    old = issuer.key("gov")
    await verifier.verify(issuer.token("gov", employee_id="e0", aud="tickets"))
    issuer.rotate("gov", keep=0)
    # nobody waits for a refresh, so what comes first still gets in
    await verifier.verify(issuer.token("gov", key=old, employee_id="e1", aud="tickets"))

    async def until_refused():
        while True:
            await verifier.verify(issuer.token("gov", key=old, aud="tickets", jti=str(time.monotonic_ns())))
            await asyncio.sleep(0.01)

    with pytest.raises(refusals.TokenKeyUnknown):
        await asyncio.wait_for(until_refused(), 5)


def test_a_key_that_is_taken_back_is_believed_for_a_minute_at_most():
    assert refusals._KEYS_LIVE <= 60


async def test_known_keys_outlive_the_issuer(issuer):
    verifier = Verifier(issuer.url, "tickets", ["gateway"], refetch_after=0)
    await verifier.verify(issuer.token("gov", employee_id="e1", aud="tickets"))
    issuer.away = True
    stranger = RSAKey.generate_key(2048, {"kid": "new"}, private=True)
    with pytest.raises(refusals.TokenKeyUnknown):
        await verifier.verify(issuer.token("gov", key=stranger, employee_id="e1", aud="tickets"))
    await verifier.verify(issuer.token("gov", employee_id="e2", aud="tickets"))


async def test_without_any_key_nobody_is_let_in_and_the_caller_may_retry(issuer, verifier):
    issuer.away = True
    with pytest.raises(refusals.KeysUnavailable):
        await verifier.verify(issuer.token("gov", employee_id="e1", aud="tickets"))


async def test_verified_claims_are_remembered_half_a_minute_and_never_past_their_end(issuer):
    now = [time.time()]
    verifier = Verifier(issuer.url, "tickets", ["gateway"], leeway=0, now=lambda: now[0])
    token = issuer.token("gov", employee_id="e1", aud="tickets", exp=int(now[0]) + 10)
    assert await verifier.verify(token) is await verifier.verify(token)
    now[0] += 11
    with pytest.raises(refusals.TokenExpired):
        await verifier.verify(token)


async def post_of(_token, employee_id, post_id):
    return Post(post_id or "first", employee_id, "o1", "zibo.health", "370303", frozenset({"tickets:assign_ticket"}))


@pytest.mark.parametrize(
    ("who", "kind", "name"),
    [
        ({"realm": "citizen", "person_id": "p1"}, Caller.CITIZEN, "p1"),
        ({"realm": "gov", "employee_id": "e1"}, Caller.OFFICER, "e1"),
        ({"realm": "gov", "service": "dispatch"}, Caller.SERVICE, "dispatch"),
    ],
)
async def test_the_actor_is_named_after_the_token(issuer, verifier, who, kind, name):
    token = issuer.token(aud="tickets", **who)
    actor = await Authenticator(verifier, post_of).actor(token, "post7", CALL)
    assert (actor.kind, actor.id) == (kind, name)
    assert (actor.post and actor.post.id) == ("post7" if kind is Caller.OFFICER else None)
    assert token not in repr(actor)


@pytest.mark.parametrize(
    ("realm", "who"),
    [
        ("citizen", {}),
        ("citizen", {"employee_id": "e1"}),
        ("citizen", {"service": "dispatch"}),
        ("gov", {}),
        ("gov", {"person_id": "p1"}),
        ("gov", {"person_id": "p1", "azp": "dispatch"}),
    ],
)
async def test_who_is_nobody_gets_no_actor(issuer, verifier, realm, who):
    with pytest.raises(CallerUnknown):
        await Authenticator(verifier, post_of).actor(issuer.token(realm, aud="tickets", **who), None, CALL)


async def test_a_post_is_asked_once_and_forgotten_on_request():
    asked = []

    async def fetch(token, employee_id, post_id):
        asked.append(employee_id)
        await asyncio.sleep(0)
        if employee_id == "e9":
            raise CallerUnknown
        return await post_of(token, employee_id, post_id)

    posts = CachedPosts(fetch)
    await asyncio.gather(*(posts("t", "e1", None) for _ in range(10)))
    assert asked == ["e1"]
    await posts("t", "e1", "another")
    posts.drop("e1")
    await posts("t", "e1", None)
    assert asked == ["e1", "e1", "e1"]
    for _ in range(2):  # a refusal is not remembered
        with pytest.raises(CallerUnknown):
            await posts("t", "e9", None)
    assert asked[3:] == ["e9", "e9"]


async def test_whoever_is_suspended_while_being_asked_about_is_not_remembered_as_let_in():
    """The answer is on its way when the suspension comes: it must not bring back what was forgotten."""
    asked, answered = asyncio.Event(), asyncio.Event()

    async def let_in(_token):
        if asked.is_set():
            raise CallerUnknown
        asked.set()
        await answered.wait()

    standing = CachedStanding(let_in)
    first = asyncio.create_task(standing.check("t", "p1"))
    await asked.wait()
    standing.drop("p1")
    answered.set()
    await first
    with pytest.raises(CallerUnknown):
        await standing.check("t", "p1")


async def test_whoever_is_let_in_is_asked_about_once():
    asked = []

    async def let_in(token):
        asked.append(token)

    standing = CachedStanding(let_in)
    for _ in range(3):
        await standing.check("t", "p1")
    standing.drop("p2")
    await standing.check("t", "p1")
    assert asked == ["t"]


async def test_a_post_that_is_ended_while_being_asked_about_is_not_remembered():
    count, asked, answered = [], asyncio.Event(), asyncio.Event()

    async def fetch(token, employee_id, post_id):
        count.append(employee_id)
        asked.set()
        await answered.wait()
        return await post_of(token, employee_id, post_id)

    posts = CachedPosts(fetch)
    first = asyncio.create_task(posts("t", "e1", None))
    await asked.wait()
    posts.drop("e1")
    answered.set()
    await first
    await posts("t", "e1", None)
    assert count == ["e1", "e1"]


async def test_a_service_asks_for_its_own_token_once(issuer, verifier):
    issuer.register("dispatch", "s3cret", aud=["tickets"], roles=["tickets:assign_ticket"])
    own = ServiceToken(issuer.url, "dispatch", "s3cret")
    given = await asyncio.gather(*(own.token() for _ in range(10)))
    assert len(set(given)) == 1
    claims = await verifier.verify(given[0])
    assert (claims.client, claims.roles) == ("dispatch", {"tickets:assign_ticket"})
    with pytest.raises(ServiceTokenUnavailable):
        await ServiceToken(issuer.url, "dispatch", "wrong").token()
