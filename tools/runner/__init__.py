"""Starts, watches and stops the whole house on one machine."""
