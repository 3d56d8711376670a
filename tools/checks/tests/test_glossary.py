import pytest

from tools.checks.glossary import split, stems, words_of_glossary

TABLE = """
| 中文 | English | kind | forms | not | means | source |
|---|---|---|---|---|---|---|
| 办件 | case | n | `Case`, `case_id`, `CaseAccepted` | ticket, work order | a legal case | 许可法 |
| 期限 | limit, deadline | n | `limit` | | how long | |
"""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("CaseAccepted", ["case", "accepted"]),
        ("batch_get_persons", ["batch", "get", "persons"]),
        ("LICENCE_STATE_VOID", ["licence", "state", "void"]),
        ("HTTPDoor", ["http", "door"]),
        ("WhoAmIRequest", ["who", "am", "i", "request"]),
        ("sm3_digest", ["sm", "digest"]),
    ],
)
def test_identifiers_are_split_into_words(name, words):
    assert split(name) == words


@pytest.mark.parametrize(
    ("word", "base"),
    [
        ("cases", "case"),
        ("policies", "policy"),
        ("batches", "batch"),
        ("accepted", "accept"),
        ("issued", "issue"),
        ("stopped", "stop"),
        ("filing", "file"),
        ("planning", "plan"),
        ("holder", "hold"),
    ],
)
def test_regular_forms_lead_back_to_their_word(word, base):
    assert base in stems(word)


def test_the_table_gives_words_and_refuses_others():
    known, instead = words_of_glossary(TABLE)
    assert known == {"case", "id", "accepted", "limit", "deadline"}
    assert instead == {"ticket": "case", "work": "case", "order": "case"}
