"""A scan where the library has nothing: uploaded with the draft, read by the department, gone with the draft."""

import asyncio

import pytest
from tongban.verification.v1 import licence_pb2

NEEDED = "father_id_card"
PDF = b"%PDF-1.7\n" + "李静的户口簿".encode()
JPEG = b"\xff\xd8\xff\xe0 photo"
PNG = b"\x89PNG\r\n\x1a\n picture"
MEBIBYTE = 1024 * 1024
ANOTHER = "00000000-0000-7000-8000-000000000203"


@pytest.fixture
async def scanned(desk, others):
    """A draft whose father has no identity card in the library."""
    others.library.findings[NEEDED] = licence_pb2.FINDING_MISSING
    return await desk.draft()


def problem(answer):
    return answer.status_code, answer.json()["reason"]


async def material(desk, filing):
    return next(each for each in (await desk.plan(filing))["materials"] if each["code"] == NEEDED)


async def test_a_scan_takes_the_place_of_the_licence_and_the_officer_reads_it(desk, scanned):
    assert (await material(desk, scanned))["status"] == "needed"
    before = (await desk.plan(scanned))["plan_digest"]
    uploaded = (await desk.upload(scanned, NEEDED, PDF)).json()
    assert (uploaded["kind"], uploaded["size"], uploaded["name"]) == ("application/pdf", len(PDF), "扫描件.pdf")
    stands = await material(desk, scanned)
    assert (stands["status"], stands["reason"], stands["text"]) == ("provided", "MATERIAL_UPLOADED", "已上传扫描件")
    assert stands["data"]["attachments"] == [uploaded["attachment_id"]]
    assert problem(await desk.submit(scanned, before)) == (409, "PLAN_CHANGED")
    submitted = await desk.submit(scanned)
    assert submitted.status_code == 200, submitted.text
    case = next(each["case_id"] for each in submitted.json()["cases"] if each["item"] == "birth_certificate")
    path = f"/v1/cases/{case}/attachments/{uploaded['attachment_id']}"
    read = await desk.get(path, "health")
    assert (read.content, read.headers["content-type"]) == (PDF, "application/pdf")
    assert "sandbox" in read.headers["content-security-policy"]
    assert problem(await desk.get(path, "police")) == (404, "CASE_NOT_FOUND")
    (entry,) = await desk.rows("select owner_id, purpose from journal where act = 'orchestration.read_case_file'")
    assert (entry.owner_id[-3:], entry.purpose) == ("201", "handle_case")
    # What was handed in stays as it was handed in.
    assert problem(await desk.upload(scanned, NEEDED, PNG, kind="image/png")) == (409, "FILING_ALREADY_SUBMITTED")


async def test_an_officer_reads_only_what_the_case_needs(desk, scanned):
    uploaded = (await desk.upload(scanned, NEEDED, PDF)).json()["attachment_id"]
    cases = {each["item"]: each["case_id"] for each in (await desk.submit(scanned)).json()["cases"]}
    path = f"/v1/cases/{cases['parenting_guidance']}/attachments/{uploaded}"
    assert problem(await desk.get(path, "health")) == (404, "ATTACHMENT_NOT_FOUND")


async def test_a_licence_that_verifies_is_better_than_a_scan(desk, scanned, others):
    await desk.upload(scanned, NEEDED, PDF)
    others.library.findings.clear()
    assert (await material(desk, scanned))["reason"] == "MATERIAL_LICENCE_VERIFIED"


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        (b"", "application/pdf", "ATTACHMENT_EMPTY"),
        (b"MZ\x90 program", "application/pdf", "ATTACHMENT_KIND_UNKNOWN"),
        (b"<html>", "text/html", "ATTACHMENT_KIND_UNKNOWN"),
        (JPEG, "application/pdf", "ATTACHMENT_KIND_WRONG"),
        (PDF, "image/png", "ATTACHMENT_KIND_WRONG"),
    ],
)
async def test_what_is_no_scan_is_refused(desk, scanned, content, kind, reason):
    assert problem(await desk.upload(scanned, NEEDED, content, kind=kind)) == (422, reason)
    assert (await desk.get(f"/v1/filings/{scanned}/attachments")).json() == []


@pytest.mark.parametrize(
    ("name", "content", "kind", "ending"),
    [
        ("x.exe", PDF, "application/pdf", ".pdf"),
        ("扫描件.pdf.exe", PDF, "application/pdf", ".pdf"),
        ("扫描件", PNG, "image/png", ".png"),
        ("扫描件.pdf", JPEG, "image/jpeg", ".jpg"),
        ("扫描件pdf", PDF, "application/pdf", ".pdf"),
    ],
)
async def test_a_name_ends_as_its_content_is(desk, scanned, *, name, content, kind, ending):
    refused = await desk.upload(scanned, NEEDED, content, kind=kind, name=name)
    assert problem(refused) == (422, "ATTACHMENT_NAME_UNFIT")
    assert refused.json()["detail"] == f"文件名与内容不符，请把文件名改为以{ending}结尾后重新上传"
    assert (await desk.get(f"/v1/filings/{scanned}/attachments")).json() == []


async def test_the_case_of_a_name_s_ending_does_not_matter(desk, scanned):
    for name, content, kind in (
        ("SCAN.PDF", PDF, "application/pdf"),
        ("正面.Jpg", JPEG, "image/jpeg"),
        ("反面.JPEG", JPEG + b"2", "image/jpeg"),
        ("x.exe.png", PNG, "image/png"),
    ):
        kept = await desk.upload(scanned, NEEDED, content, kind=kind, name=name)
        assert (kept.status_code, kept.json()["name"]) == (200, name)


async def test_a_file_may_be_large_and_nothing_else_may(desk, scanned):
    largest = PDF + bytes(10 * MEBIBYTE - len(PDF))
    kept = await desk.upload(scanned, NEEDED, largest)
    assert (kept.status_code, kept.json()["size"]) == (200, 10 * MEBIBYTE)
    path = f"/v1/filings/{scanned}/attachments/{kept.json()['attachment_id']}"
    assert (await desk.get(path)).content == largest
    port, limit = desk.service.ports.http, 10 * MEBIBYTE
    assert await announced(port, f"/v1/filings/{scanned}/attachments", limit) == 401
    assert await announced(port, f"/v1/filings/{scanned}/attachments", limit + 1) == 413
    assert await announced(port, "/v1/filings", MEBIBYTE + 1) == 413


async def announced(port, path, size):
    """What is answered to a body of a size; one that is refused need not be sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST {path} HTTP/1.1\r\nHost: here\r\nContent-Length: {size}\r\n\r\n".encode())
    if size == 10 * MEBIBYTE:
        writer.write(bytes(size))
    status = int((await reader.readline()).split()[1])
    writer.close()
    return status


async def test_the_same_file_is_there_once_and_there_is_a_limit(desk, scanned):
    first = await desk.upload(scanned, NEEDED, PDF, key="once")
    again = await desk.upload(scanned, NEEDED, PDF, key="once")
    other = await desk.upload(scanned, NEEDED, PDF, name="又一次.pdf")
    assert first.json() == again.json()
    assert other.json()["attachment_id"] == first.json()["attachment_id"]
    for n in range(4):
        assert (await desk.upload(scanned, NEEDED, PDF + bytes([n]))).status_code == 200
    assert problem(await desk.upload(scanned, NEEDED, PNG, kind="image/png")) == (409, "ATTACHMENTS_TOO_MANY")
    assert problem(await desk.upload(scanned, "birth_registration_form", PDF)) == (422, "REQUIREMENT_UNKNOWN")
    assert problem(await desk.upload(scanned, "nothing", PDF)) == (422, "REQUIREMENT_UNKNOWN")
    assert problem(await desk.upload(scanned, NEEDED, PDF, person=ANOTHER)) == (404, "FILING_NOT_FOUND")


async def test_a_file_is_removed_and_the_draft_takes_all_with_it(desk, scanned):
    path = f"/v1/filings/{scanned}"
    client = await desk.as_()
    uploaded = (await desk.upload(scanned, NEEDED, PDF)).json()["attachment_id"]
    assert (await client.delete(f"{path}/attachments/{uploaded}")).status_code == 200
    assert problem(await desk.get(f"{path}/attachments/{uploaded}")) == (404, "ATTACHMENT_NOT_FOUND")
    assert (await material(desk, scanned))["status"] == "needed"
    await desk.upload(scanned, NEEDED, PDF)
    assert (await client.delete(path)).json() == {"filing_id": scanned}
    assert problem(await desk.get(path)) == (404, "FILING_NOT_FOUND")
    assert await desk.rows("select 1 from attachments union all select 1 from attachment_pieces") == []
    submitted = await desk.draft()
    await desk.upload(submitted, NEEDED, PDF)
    assert (await desk.submit(submitted)).status_code == 200
    assert problem(await client.delete(f"/v1/filings/{submitted}")) == (409, "FILING_ALREADY_SUBMITTED")


async def test_files_rest_sealed(desk, scanned):
    await desk.upload(scanned, NEEDED, PDF + b"A" * MEBIBYTE)
    pieces = await desk.rows("select content from attachment_pieces")
    assert len(pieces) == 5
    for row in [*pieces, *await desk.rows("select name from attachments")]:
        assert not any(secret in row[0] for secret in ("李静".encode(), "扫描件".encode(), b"AAAA"))
    for row in await desk.rows("select details::text from journal"):
        assert "扫描件" not in row.details
