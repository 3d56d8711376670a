"""Stamps the rooms of a new service and writes its name into the lists."""
