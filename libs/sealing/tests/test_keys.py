from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sealing import KeyRing, SealBroken, key_id

OLD = {"k1": b"1" * 32}
BOTH = OLD | {"k2": b"2" * 32}
RING = KeyRing(BOTH, "k2", b"i" * 32)


@given(st.binary(max_size=500), st.text(max_size=50))
def test_what_is_sealed_opens_in_its_place(plaintext, bound):
    sealed = RING.seal(plaintext, bound=bound)
    assert RING.open(sealed, bound=bound) == plaintext
    assert plaintext not in sealed or len(plaintext) < 4
    with pytest.raises(SealBroken):
        RING.open(sealed, bound=bound + "x")


@given(st.data())
def test_a_changed_byte_is_found(data):
    sealed = bytearray(RING.seal("王小明".encode(), bound="persons.name:1"))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealBroken):
        RING.open(bytes(sealed), bound="persons.name:1")


@given(st.binary(max_size=64))
def test_noise_does_not_open(noise):
    with pytest.raises(SealBroken):
        RING.open(noise, bound="x")


def test_the_same_is_never_sealed_the_same():
    assert RING.seal(b"a", bound="x") != RING.seal(b"a", bound="x")


def test_keys_rotate():
    sealed = KeyRing(OLD, "k1", b"i" * 32).seal(b"kept", bound="x")
    assert key_id(sealed) == "k1"
    assert RING.open(sealed, bound="x") == b"kept"
    assert key_id(RING.seal(RING.open(sealed, bound="x"), bound="x")) == "k2"
    with pytest.raises(SealBroken):
        KeyRing({"k2": b"2" * 32}, "k2", b"i" * 32).open(sealed, bound="x")


def test_the_last_key_of_the_settings_is_current():
    given_keys = {name: b64encode(key).decode() for name, key in BOTH.items()}
    ring = KeyRing.from_settings(given_keys, b64encode(b"i" * 32).decode())
    assert key_id(ring.seal(b"", bound="")) == "k2"
    assert "2222" not in repr(ring)


@pytest.mark.parametrize("keys", [{"k": b"short"}, {"": b"1" * 32}, {"k" * 256: b"1" * 32}])
def test_a_bad_key_is_refused(keys):
    with pytest.raises(ValueError, match="data key"):
        KeyRing(keys, next(iter(keys)), b"i" * 32)


def test_a_blind_index_is_equal_however_it_was_typed():
    one = RING.blind("11010519491231002X", field="id_number")
    assert len(one) == 32
    assert RING.blind(" 11010519491231002x", field="id_number") == one
    assert RING.blind("１１０１０５19491231 002X", field="id_number") == one
    assert RING.blind("11010519491231002X", field="phone") != one
    assert KeyRing(BOTH, "k2", b"j" * 32).blind("11010519491231002X", field="id_number") != one
