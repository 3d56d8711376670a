"""Signed messages (RFC 9421) with a digest of their body (RFC 9530), made and verified by `http-message-signatures`.

A signature covers the method, the whole address and the body, and carries its time and a nonce.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from common.errors import Unauthenticated
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from orchestration.domain.registered import AppKey

TAG = "tongban"
WINDOW = timedelta(minutes=5)
LONGEST_NONCE = 100
_COVERED = ("@method", "@target-uri")


class SignatureInvalid(Unauthenticated):
    """The message is not signed with a live key of the app, or was changed."""


class SignatureStale(Unauthenticated):
    """The signature is too old, or not of this time."""


@dataclass
class Message:
    """A request as it is signed."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Signer:
    """Signs what we send, with a key of ours (EC P-256)."""

    def __init__(self, private_pem: str) -> None:
        public = ECKey.import_key(private_pem)
        self.key_id = str(public.thumbprint())
        self.jwk = {**public.as_dict(private=False), "kid": self.key_id, "use": "sig", "alg": "ES256"}
        self._signer = HTTPMessageSigner(
            signature_algorithm=algorithms.ECDSA_P256_SHA256,
            key_resolver=_Own(load_pem_private_key(private_pem.encode(), None)),
        )

    def sign(self, message: Message, *, at: datetime, nonce: str) -> None:
        """Add the headers that prove the message ours."""
        self._signer.sign(
            message,
            key_id=self.key_id,
            created=at,
            nonce=nonce,
            tag=TAG,
            covered_component_ids=_COVERED,
            body=message.body or None,
        )


def verify(message: Message, keys: Sequence[AppKey], *, at: datetime) -> str:
    """Tell the nonce of a message that one of the keys signed lately, or refuse it."""
    live = {key.key_id: key for key in keys if key.is_live(at)}
    for algorithm, kind in ((algorithms.ECDSA_P256_SHA256, "EC"), (algorithms.ED25519, "OKP")):
        own = {name: _public(key.jwk) for name, key in live.items() if key.jwk.get("kty") == kind}
        if not own:
            continue
        verifier = _Verifier(signature_algorithm=algorithm, key_resolver=_Theirs(own))
        try:
            (found,) = verifier.verify(
                message,
                max_age=None,
                expect_tag=TAG,
                require_components=(*_COVERED, "content-digest"),
                body=message.body,
            )
        except (HTTPMessageSignaturesException, JoseError, ValueError):
            continue
        return _nonce(found.parameters, at)
    raise SignatureInvalid


def _nonce(parameters: Mapping[str, Any], at: datetime) -> str:
    created = datetime.fromtimestamp(parameters["created"], UTC)
    if abs(at - created) > WINDOW:
        raise SignatureStale
    nonce = str(parameters.get("nonce") or "")
    if not 1 <= len(nonce) <= LONGEST_NONCE:
        raise SignatureInvalid
    return nonce


def _public(jwk: Mapping[str, str]) -> Any:
    return (ECKey if jwk["kty"] == "EC" else OKPKey).import_key(dict(jwk)).public_key


class _Verifier(HTTPMessageVerifier):
    """Leaves the question of time to us: it is asked by the clock that everything here goes by."""

    def validate_created_and_expires(self, sig_input: Any, max_age: timedelta | None = None) -> None:  # noqa: ARG002
        if "created" not in sig_input.params or "expires" in sig_input.params:
            raise HTTPMessageSignaturesException("created, and nothing else about time")


class _Own(HTTPSignatureKeyResolver):
    def __init__(self, key: Any) -> None:
        self._key = key

    def resolve_private_key(self, key_id: str) -> Any:  # noqa: ARG002 - there is one
        return self._key


class _Theirs(HTTPSignatureKeyResolver):
    def __init__(self, keys: Mapping[str, Any]) -> None:
        self._keys = keys

    def resolve_public_key(self, key_id: str) -> Any:
        return self._keys.get(key_id)
