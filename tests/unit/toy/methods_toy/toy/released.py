"""Where the method's initial weights come from; their layout is a shared one."""

from torch import Tensor  # noqa: F401  (the plan reads this file without importing it)

SOURCES: dict[str, str] = {
    "toynet_photos": "toynet.pth of example.org/toy, the file without a head",
}
