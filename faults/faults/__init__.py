"""Breaks the house while it works, and reconciles what it says afterwards with a ledger kept outside of it."""
