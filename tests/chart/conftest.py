"""What the tests of the chart share."""

import charts
import pytest


def pytest_generate_tests(metafunc):
    """A test that asks for `values` is run with each file of values unless it names some, one that asks for
    `helm` with both versions."""
    marks = metafunc.definition.iter_markers("parametrize")
    own = {name.strip() for mark in marks for name in mark.args[0].split(",")}
    for name, all_of_them in (("values", list(charts.values_files())), ("helm", charts.HELMS)):
        if name in metafunc.fixturenames and name not in own:
            metafunc.parametrize(name, all_of_them)


@pytest.fixture
def objects(values, helm):
    """The objects that a version of Helm renders with a file of values."""
    return charts.rendered(values, helm)
