"""What the tests of the chart share."""

import charts
import pytest


def pytest_generate_tests(metafunc):
    """A test that asks for `values` is run with each file of values, one that asks for `helm` with both
    versions."""
    if "values" in metafunc.fixturenames:
        metafunc.parametrize("values", charts.values_files())
    if "helm" in metafunc.fixturenames:
        metafunc.parametrize("helm", charts.HELMS)


@pytest.fixture
def objects(values, helm):
    """The objects that a version of Helm renders with a file of values."""
    return charts.rendered(values, helm)
