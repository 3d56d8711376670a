import sys
from pathlib import Path

# The invented service lies beside the tests.
sys.path.insert(0, str(Path(__file__).parent))

pytest_plugins = ["common.testing"]
