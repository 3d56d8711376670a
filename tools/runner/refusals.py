"""What the runner says no to: named, with a sentence that tells what to do."""


class Refused(Exception):
    """The runner cannot go on; its sentence is all that the person needs to read."""


class PortTaken(Refused):
    """Somebody else listens where one of our parts wants to."""


class StartFailed(Refused):
    """A process ended, or never became ready, while we waited for it."""


class AlreadyRunning(Refused):
    """Another runner holds this instance."""


class ToolMissing(Refused):
    """A program that `make setup` brings is not there."""


class ControlRefused(Refused):
    """An unknown name or command on the control socket."""


class BackupRefused(Refused):
    """A backup that cannot be made, or is not whole."""


class TooLittleRunning(Refused):
    """The instance is up, but without what the command asked for."""
