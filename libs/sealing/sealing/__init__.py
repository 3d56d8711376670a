"""Personal data at rest: keys by id, sealed columns, and sealing them anew while people go on working."""

from sealing.anew import reseal
from sealing.columns import Sealed
from sealing.keys import KeyRing, SealBroken, key_id

__all__ = ["KeyRing", "SealBroken", "Sealed", "key_id", "reseal"]
