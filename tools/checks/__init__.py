"""The house checks: what people would otherwise have to remember."""
