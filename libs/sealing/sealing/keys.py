"""The keys: what seals, what opens, and blind indexes to find sealed values by."""

import hashlib
import hmac
import os
import unicodedata
from base64 import b64decode
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = 1
NONCE_BYTES = 12
KEY_BYTES = 32


class SealBroken(Exception):
    """What was stored cannot be opened: another key, another place, or tampered with."""


class KeyRing:
    """The data keys by id: the current one seals, every one opens, so keys rotate without a stop.

    A sealed value is: version, length of the key id, key id, nonce, ciphertext with its tag. The header and
    `bound` (the column and row it belongs to) are authenticated: a value copied elsewhere does not open.
    """

    def __init__(self, keys: Mapping[str, bytes], current: str, index_key: bytes) -> None:
        for key_id, key in keys.items():
            if len(key) != KEY_BYTES or not 0 < len(key_id.encode()) < 256:  # noqa: PLR2004 - one byte of length
                raise ValueError(f"data key {key_id!r} must be {KEY_BYTES} bytes under a short id")
        if len(index_key) < KEY_BYTES:
            raise ValueError(f"the index key must have at least {KEY_BYTES} bytes")
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._headers = {key_id: bytes((VERSION, len(key_id.encode()))) + key_id.encode() for key_id in keys}
        self._seal = self._ciphers[current]
        # what every value begins with that the current key has sealed
        self.header = self._headers[current]
        self._index_key = index_key

    @classmethod
    def from_settings(cls, data_keys: Mapping[str, str], index_key: str, current: str = "") -> "KeyRing":
        """Read base64 keys; unless one is named, the last id in alphabetical order is the current one."""
        keys = {key_id: b64decode(key, validate=True) for key_id, key in data_keys.items()}
        return cls(keys, current or max(keys), b64decode(index_key, validate=True))

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(sorted(self._ciphers))})"

    def seal(self, plaintext: bytes, *, bound: str) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return self.header + nonce + self._seal.encrypt(nonce, plaintext, self.header + bound.encode())

    def open(self, sealed: bytes, *, bound: str) -> bytes:
        header = self._headers.get(key_id(sealed))
        if header is None or not sealed.startswith(header):
            raise SealBroken
        nonce = sealed[len(header) : len(header) + NONCE_BYTES]
        try:
            cipher = self._ciphers[key_id(sealed)]
            return cipher.decrypt(nonce, sealed[len(header) + NONCE_BYTES :], header + bound.encode())
        except (InvalidTag, ValueError) as error:
            raise SealBroken from error

    def blind(self, value: str, *, field: str) -> bytes:
        """Give the index of a value: equal however it was typed, different in every field."""
        normal = "".join(unicodedata.normalize("NFKC", value).split()).casefold()
        key = hmac.digest(self._index_key, field.encode(), hashlib.sha256)
        return hmac.digest(key, normal.encode(), hashlib.sha256)


def key_id(sealed: bytes) -> str:
    """Say which key sealed this, to find what a rotation must seal anew."""
    try:
        version, length = sealed[0], sealed[1]
        if version != VERSION:
            raise SealBroken
        return sealed[2 : 2 + length].decode()
    except (IndexError, UnicodeDecodeError) as error:
        raise SealBroken from error
