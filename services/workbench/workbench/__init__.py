"""The workbench (山东通 model): one todo list fed by every service."""
