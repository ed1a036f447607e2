"""Exceptions that travel."""


class NotEnough(Exception):
    """Has more than one argument."""

    def __init__(self, missing, what):
        super().__init__(missing, what)
        self.missing = missing
        self.what = what
