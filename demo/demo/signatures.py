"""Signed messages (RFC 9421) as a department makes and checks them: by `http-message-signatures`, nothing of ours."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms
from joserfc.jwk import ECKey

TAG = "tongban"
COVERED = ("@method", "@target-uri")


@dataclass
class Message:
    """A request as it is signed."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Keys(HTTPSignatureKeyResolver):
    """Our private key, or the other side's public keys."""

    def __init__(self, keys: Mapping[str, Any]) -> None:
        self._keys = keys

    def resolve_private_key(self, key_id: str) -> Any:
        return self._keys[key_id]

    def resolve_public_key(self, key_id: str) -> Any:
        return self._keys.get(key_id)


def key_id(private_pem: str) -> str:
    return str(ECKey.import_key(private_pem).thumbprint())


def public_jwk(private_pem: str) -> dict[str, str]:
    """What is told to the registry."""
    public = ECKey.import_key(private_pem).as_dict(private=False)
    return {name: str(public[name]) for name in ("kty", "crv", "x", "y")}


def sign(message: Message, private_pem: str, *, at: datetime) -> None:
    """Add the headers that prove the message ours; each time with a new nonce."""
    name = key_id(private_pem)
    keys = Keys({name: load_pem_private_key(private_pem.encode(), None)})
    HTTPMessageSigner(signature_algorithm=algorithms.ECDSA_P256_SHA256, key_resolver=keys).sign(
        message,
        key_id=name,
        created=at,
        nonce=secrets.token_urlsafe(18),
        tag=TAG,
        covered_component_ids=COVERED,
        body=message.body or None,
    )


def verify(message: Message, jwks: Mapping[str, Any]) -> None:
    """Raise unless one of the keys signed the message in the last five minutes."""
    keys = Keys({key["kid"]: ECKey.import_key(key).public_key for key in jwks["keys"]})
    HTTPMessageVerifier(signature_algorithm=algorithms.ECDSA_P256_SHA256, key_resolver=keys).verify(
        message,
        max_age=timedelta(minutes=5),
        expect_tag=TAG,
        require_components=(*COVERED, "content-digest") if message.body else COVERED,
        body=message.body or None,
    )
