"""Licences verified instead of papers asked for (无证明): types, licences, consents, evidence."""
