"""`make proto`: writes libs/contracts/tongban from proto/, or into the folder named as an argument.

The generated code is committed: nobody needs this to run the house.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROTO = ROOT / "proto"


def generate(out: Path) -> None:
    files = sorted(PROTO.glob("tongban/**/*.proto"))
    beside_python = Path(sys.executable).parent
    outputs = (
        *(f"--plugin={plugin}={beside_python / plugin}" for plugin in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")),
        f"--python_out={out}",
        f"--mypy_out=quiet:{out}",
        f"--grpc_python_out={out}",
        f"--mypy_grpc_out=quiet:{out}",
    )
    command = (sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}", *outputs)
    subprocess.run([*command, *map(str, files)], check=True)
    for file in files:
        if not any(line.startswith("service ") for line in file.read_text().splitlines()):
            for empty in (out / file.relative_to(PROTO).parent).glob(f"{file.stem}_pb2_grpc.py*"):
                empty.unlink()
    for folder in (out / "tongban", *(out / "tongban").rglob("*/")):
        (folder / "__init__.py").touch()
    (out / "tongban" / "py.typed").touch()


def main() -> None:
    out = Path(sys.argv[1]) if sys.argv[1:] else ROOT / "libs" / "contracts"
    with tempfile.TemporaryDirectory() as fresh:
        generate(Path(fresh))
        shutil.rmtree(out / "tongban", ignore_errors=True)
        shutil.copytree(Path(fresh) / "tongban", out / "tongban")


if __name__ == "__main__":
    main()
