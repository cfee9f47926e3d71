"""How a benchmark prints its bars."""


def bar(name, value, unit, relation, limit):
    """Print one bar.

    :param str relation: ``<=`` or ``>=``, what the value has to be to the limit
    """
    good = value <= limit if relation == "<=" else value >= limit
    print(f"BAR {name} {value:.2f} {unit} {relation} {limit} {'PASS' if good else 'FAIL'}")
