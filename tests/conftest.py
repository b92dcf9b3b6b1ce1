"""All tests: one torch thread, so that times and bytes do not depend on the machine's cores."""

import common  # isort: skip  # noqa: F401  (before torch)
import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """A recipe that ran in this process has left the number that it used: forks of it would wait for lost threads."""
    torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole recipes and golden trainings are slow wherever they stand; other slow tests say so themselves."""
    for item in items:
        if "tests/smoke/" in item.nodeid or "/train_" in item.nodeid:
            item.add_marker(pytest.mark.slow)
