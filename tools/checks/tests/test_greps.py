import pytest

from tools.checks.greps import ADDRESSES, LOCK_ADDRESS, MACHINE_PATHS
from tools.checks.wording import chinese_strings

HOSTS = [
    "py~pi.org",
    "files.python~hosted.org",
    "registry.npm~js.org",
    "repo1.mav~en.org",
    "crat~es.io",
    "proxy.gol~ang.org",
]
PATHS = ["/~work/main", "cd /~root/x", "/~home/someone/x"]


def whole(text: str) -> str:
    """The examples stand here broken, so that this file does not name what it looks for."""
    return text.replace("~", "")


@pytest.mark.parametrize("host", HOSTS)
def test_registry_hosts_are_found(host):
    assert ADDRESSES.search(f"https://{whole(host)}/simple")
    assert not ADDRESSES.search(host)


@pytest.mark.parametrize(
    "text", ["pypi is a registry", "a Maven artifact", "https://localhost:18000", "golang.org/x/net"]
)
def test_other_text_is_left_alone(text):
    assert not ADDRESSES.search(text)


@pytest.mark.parametrize("path", PATHS)
def test_paths_of_a_machine_are_found(path):
    assert MACHINE_PATHS.search(whole(path))


@pytest.mark.parametrize("path", ["/workbench/api", "frame/work/unit", "{base}/ro~ot/x"])
def test_other_paths_are_left_alone(path):
    assert not MACHINE_PATHS.search(whole(path))


def test_a_lock_with_addresses_is_found():
    assert LOCK_ADDRESS.search(whole('"resol~ved": "https://x/y.tgz"'))


def test_chinese_is_found_in_strings_only():
    source = '"""文档。"""\nx = 1  # 注释\ny = "办件"\nz = f"{x}已办结"\nw = "\\u4e00"\ndef f():\n    """说明。"""\n'
    assert chinese_strings(source) == [3, 4]
