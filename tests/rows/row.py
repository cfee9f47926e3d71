"""The list of the rows."""

from typing import NamedTuple

ROWS = []


class Row(NamedTuple):
    """:param str name: one word
    :param str says: the paragraph that says so
    :param ask: function that is given a Program, and fails when it is not so
    :param bool is_http: whether it is about HTTP itself
    """

    name: str
    says: str
    ask: object
    is_http: bool


def row(says, is_http=False):
    """A function is a row; its docstring says what is asked for."""

    def add(ask):
        assert ask.__doc__, ask
        assert ask.__name__ not in {one.name for one in ROWS}, ask
        ROWS.append(Row(ask.__name__, says, ask, is_http))
        return ask

    return add
