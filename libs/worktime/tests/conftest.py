import sys
from pathlib import Path

# The oracle is not part of the package; the tests find it beside themselves.
sys.path.insert(0, str(Path(__file__).parent))
