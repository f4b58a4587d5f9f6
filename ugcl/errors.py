"""The one exception that users see."""


class UgclError(Exception):
    """A fault the user can fix. Its text is one line: what, where, how to fix."""


class LeakError(UgclError):
    """A split shares speakers between its parts."""
