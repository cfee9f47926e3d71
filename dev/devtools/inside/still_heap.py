"""A pytest plugin: what Odoo has loaded is not looked through for garbage.

A registry is a million objects that live until the end. Each full collection walks through
all of them, and in a forked process copies all of their memory first.
"""

import gc

import pytest


class Freezer:
    """Before the first test, when the registry is there."""

    def __init__(self, manager):
        self.manager = manager

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_setup(self):
        gc.collect()
        gc.freeze()
        self.manager.unregister(self)


def pytest_configure(config):
    config.pluginmanager.register(Freezer(config.pluginmanager))
