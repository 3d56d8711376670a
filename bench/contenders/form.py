"""What every contender files."""

# So many go first: until each connection has prepared every statement and settled for a plan (PostgreSQL tries five),
# a filing costs PostgreSQL a quarter more, and a house that runs for days pays that once.
WARM_UP = 40
FATHER = "00000000-0000-7000-8000-000000000202"
FORM = {
    "child_name": "张小满",
    "child_sex": "female",
    "birth_time": "2026-02-27T08:30:00+08:00",
    "hospital": "张店区妇幼保健院",
    "birth_registration_no": "QF-2026-0227",
    "mother_name": "李静",
    "father_name": "张伟",
    "father_id": FATHER,
    "surname_from": "father",
    "household_address": "张店区柳泉路1号",
    "phone": "19900000001",
    "bank_account": "6222000011112222",
}
