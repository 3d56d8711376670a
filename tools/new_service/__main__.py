"""`python -m tools.new_service NAME [NOUN]`: a service with one noun that can be read, and every check green."""

import argparse
import keyword
import sys
from datetime import UTC, datetime

from tools.new_service.lists import enlist
from tools.new_service.stamp import ROOT, Names, stamp

LEFT_TO_DO = """
Stamped services/{service}. What only you know:
  1. the Chinese word of {noun} in docs/glossary.md, the first sentence of its README and its line in ours;
  2. who may: its client and audience in services/accounts/accounts/realms/gov.yaml, the posts' permissions;
  3. proto/tongban/{service}/v1 when it answers or emits; then `tongban.{service}` in .importlinter (wire, nounless);
Then `make setup` installs it, `make check test` holds it.
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make new-service")
    parser.add_argument("name", help="the service: one lower-case word, such as grid")
    parser.add_argument("noun", nargs="?", help="its first noun; the service's own name if left out")
    arguments = parser.parse_args()
    names = Names(arguments.name, arguments.noun or arguments.name, f"{datetime.now(UTC):%Y_%m_%d_%H%M}")
    for word in (names.service, names.noun):
        if not (word.isascii() and word.isalpha() and word.islower()) or keyword.iskeyword(word):
            sys.exit(f"{word!r} is not one lower-case English word")
    if any((ROOT / folder / names.service).exists() for folder in ("services", "libs", "")):
        sys.exit(f"{names.service} is taken")
    enlist(names)
    stamp(names)
    print(LEFT_TO_DO.format(service=names.service, noun=names.noun).strip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
