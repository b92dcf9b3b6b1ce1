"""mmengine configs: recipes and networks, read without importing what they name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common.base.errors import UserError


def read_config(path: str | Path, options: dict[str, Any] | None = None) -> Any:
    """An mmengine Config with `options` (dotted key -> value) merged in.

    The modules of its `custom_imports`, which register what it is built of, are not imported: see `import_types`.

    Raises:
        UserError: the file is missing or no config, or an option does not fit.
    """
    from mmengine.config import Config

    if not Path(path).is_file():
        raise UserError(f"{path} does not exist: name a config file (`wsseg list` shows the recipes).")
    try:
        config = Config.fromfile(str(path), import_custom_modules=False)
    except Exception as error:  # a config is Python: anything may go wrong in it
        raise UserError(f"{path} cannot be read as a config ({type(error).__name__}: {error}).") from error
    try:
        config.merge_from_dict(options or {})
    except (KeyError, IndexError, TypeError, AssertionError) as error:
        raise UserError(f"The options {options} do not fit {path}: {error}.") from error
    return config


def import_types(config: Mapping[str, Any]) -> None:
    """Import the modules of `custom_imports`, so that the types a network config names are registered.

    Raises:
        UserError: a module cannot be imported.
    """
    from mmengine.utils import import_modules_from_strings

    try:
        import_modules_from_strings(**config.get("custom_imports", {"imports": None}))
    except ImportError as error:
        raise UserError(f"custom_imports: {error}.") from error
