"""The rules: numbers, masks, the tree, posts."""

import contextlib
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from accounts.domain import organisation, person, post
from accounts.domain.identity import (
    IdNumberCheckFailed,
    IdNumberMalformed,
    NumberFlag,
    PhoneInvalid,
    Sex,
    Source,
    UsccInvalid,
    mask_name,
    mask_number,
    mask_phone,
    normal_id_number,
    read_id_number,
    read_phone,
    read_uscc,
    subject_fits,
    with_check_character,
)
from accounts.domain.person import ProofLevel
from hypothesis import given
from hypothesis import strategies as st

TODAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)


def read(number, source=Source.STATED):
    return read_id_number(number, source=source, on=TODAY)


@pytest.mark.parametrize(
    ("number", "sex", "born"),
    [
        ("11010519491231002X", Sex.FEMALE, date(1949, 12, 31)),
        ("440524188001010014", Sex.MALE, date(1880, 1, 1)),
        ("370303190001010016", Sex.MALE, date(1900, 1, 1)),
        ("370303190001010024", Sex.FEMALE, date(1900, 1, 1)),
        ("37110219000101001X", Sex.MALE, date(1900, 1, 1)),
        ("371102190001010028", Sex.FEMALE, date(1900, 1, 1)),
        ("371602190001010017", Sex.MALE, date(1900, 1, 1)),
        ("371602190001010025", Sex.FEMALE, date(1900, 1, 1)),
        ("371402190001010016", Sex.MALE, date(1900, 1, 1)),
        ("371402190001010024", Sex.FEMALE, date(1900, 1, 1)),
    ],
)
def test_a_number_tells_sex_and_birth(number, sex, born):
    found = read(number)
    assert (found.text, found.sex, found.born, found.flag) == (number, sex, born, None)


@pytest.mark.parametrize(
    "typed", ["11010519491231002x", " 110105 19491231 002X ", "１１０１０５１９４９１２３１００２ｘ"]
)
def test_what_keyboards_add_is_taken_away(typed):
    assert read(typed).text == "11010519491231002X"


@pytest.mark.parametrize(
    ("number", "refusal"),
    [
        ("110105194912310021", IdNumberCheckFailed),
        ("11010519490231002X", IdNumberMalformed),
        ("11010519491231002", IdNumberMalformed),
        ("1101051949123100２XX", IdNumberMalformed),
        ("", IdNumberMalformed),
        ("abcdefghijklmnopqr", IdNumberMalformed),
        ("110105491231002", IdNumberMalformed),
        (with_check_character("11010520261122001"), IdNumberMalformed),
    ],
)
def test_a_stated_number_that_is_wrong_is_refused(number, refusal):
    with pytest.raises(refusal):
        read(number)


def test_an_authority_s_record_is_flagged_instead():
    assert read("110105194912310021", Source.AUTHORITY).flag is NumberFlag.CHECK_FAILED
    old = read("110105491231002", Source.AUTHORITY)
    assert (old.text, old.flag) == ("11010519491231002X", NumberFlag.CONVERTED)
    with pytest.raises(IdNumberMalformed):
        read("11010519490231002X", Source.AUTHORITY)


digits = st.text("0123456789", min_size=3, max_size=3)
births = st.dates(date(1880, 1, 1), TODAY)


@given(region=st.integers(110000, 829999), born=births, serial=digits)
def test_every_number_with_its_check_character_is_read(region, born, serial):
    number = with_check_character(f"{region}{born:%Y%m%d}{serial}")
    found = read(number)
    assert (found.text, found.born) == (number, born)
    assert found.sex is (Sex.MALE if int(serial[2]) % 2 else Sex.FEMALE)


@given(region=st.integers(110000, 829999), born=births, serial=digits, place=st.integers(0, 16), by=st.integers(1, 9))
def test_one_mistyped_digit_is_never_taken(region, born, serial, place, by):
    number = with_check_character(f"{region}{born:%Y%m%d}{serial}")
    wrong = f"{number[:place]}{(int(number[place]) + by) % 10}{number[place + 1 :]}"
    with pytest.raises((IdNumberCheckFailed, IdNumberMalformed)):
        read(wrong)


@given(st.text(max_size=25))
def test_any_text_is_read_or_refused(typed):
    with contextlib.suppress(IdNumberMalformed):
        assert len(normal_id_number(typed)) == 18


@given(region=st.integers(110000, 829999), born=st.dates(date(1900, 1, 1), date(1999, 12, 31)), serial=digits)
def test_an_old_number_finds_the_same_person(region, born, serial):
    number = with_check_character(f"{region}{born:%Y%m%d}{serial}")
    assert normal_id_number(f"{number[:6]}{number[8:17]}") == number


@pytest.mark.parametrize(
    "code",
    [
        *("91350100M000100Y43", "91110000600037341L", "11370300MB28560647", "91370303MA9TEW0118", "91371102MA9TEW02XK"),
        *("91371602MA9TEW038D", "91371402MA9TEW046X", "92370302MA9TEW0544", "93370321MA9TEW10XF", "11370300MB9TEW066U"),
        *("12371600MB9TEW082A", "52371100MJ9TEW073W", "54371426MF9TEW095X"),
    ],
)
def test_a_good_code_is_read(code):
    assert read_uscc(f" {code.lower()} ") == code
    assert subject_fits(code)


@pytest.mark.parametrize("code", ["91350100M000100Y44", "91350100I000100Y43", "91350100M000100Y4", "", "中"])
def test_a_bad_code_is_refused(code):
    with pytest.raises(UsccInvalid):
        read_uscc(code)


def test_a_misfit_inside_a_code_is_only_told():
    assert not subject_fits("91350100M000100Z43")


def test_phones():
    assert read_phone(" 199 0000 0001") == "19900000001"
    for wrong in ("12900000001", "1990000000", "199000000011", "phone"):
        with pytest.raises(PhoneInvalid):
            read_phone(wrong)


def test_masks():
    assert mask_name("李静") == "李*"
    assert mask_name("欧阳修远") == "欧***"
    assert mask_number("370303190001010016") == "370303********0016"
    assert mask_phone("19900000001") == "199****0001"


def test_a_newborn_of_this_morning_in_china_is_registered():
    found = person.register(
        UUID(int=1),
        name="张安",
        id_number=with_check_character("37030320261122001"),
        phone=None,
        proof_level=ProofLevel.REGISTERED,
        source=Source.STATED,
        at=datetime(2026, 11, 21, 17, tzinfo=UTC),
    )
    assert "张安" not in repr(found)
    assert "3703" not in repr(found)


def body(code="zibo", region="370300", parent=None, department=""):
    return organisation.found(
        UUID(int=len(code)),
        parent=parent,
        code=code,
        name=code,
        department=department,
        uscc="11370300MB28560647",
        region_code=region,
    )


def test_the_path_grows_from_the_root():
    zibo = body()
    assert body("health", "370303", zibo).org_path == "zibo.health"
    with pytest.raises(organisation.RegionOutsideParent):
        body("rizhao", "371100", zibo)


def test_the_nearest_department_is_found():
    regions = organisation.region_and_above("370303")
    assert regions == ["370303", "370300", "370000"]
    assert organisation.region_and_above("370000") == ["370000"]
    here, city, province = (
        body("aa", "370303", None, "health"),
        body("b", "370300", None, "health"),
        body("c", "370000"),
    )
    found = organisation.nearest([province, city, here], regions)
    assert [each.code for each in found] == ["aa", "c"]


def given_post(rank=0, valid_from=NOW, valid_until=None, number=1):
    employee = post.employ(UUID(int=9), name="孙立", organisation=body())
    return post.give(
        UUID(int=number),
        employee=employee,
        organisation=body(),
        title="经办",
        permissions=["accounts:read_person"],
        rank=rank,
        valid_from=valid_from,
        valid_until=valid_until,
    )


def test_posts_are_held_for_their_time():
    first, second = given_post(rank=1), given_post(rank=0, valid_until=NOW + timedelta(days=1), number=2)
    assert post.resolve([first, second], None, NOW) == second
    assert post.resolve([first, second], first.post_id, NOW) == first
    assert post.resolve([first, second], None, NOW + timedelta(days=1)) == first
    for wanted in (second.post_id, UUID(int=77)):
        with pytest.raises(post.PostNotHeld):
            post.resolve([first, second], wanted, NOW + timedelta(days=1))


@given(begins=st.integers(-50, 50), ends=st.integers(-50, 50))
def test_an_ended_post_is_never_held_again(begins, ends):
    given_ = given_post(valid_from=NOW + timedelta(hours=begins))
    ended = post.end(given_, at=NOW + timedelta(hours=ends))
    assert not any(ended.is_held(NOW + timedelta(hours=each)) for each in range(max(begins, ends), 60))
    assert ended.version == given_.version + 1


def test_a_post_ends_once():
    ended = post.end(given_post(), at=NOW)
    with pytest.raises(post.PostAlreadyEnded):
        post.end(ended, at=NOW)
    with pytest.raises(post.PostEndsBeforeItBegins):
        given_post(valid_until=NOW)
