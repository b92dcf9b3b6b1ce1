"""Importing this module registers every network, head and initialiser with mmseg's and mmengine's registries.

Configs name it: custom_imports = dict(imports=["common.models.register"]).
"""

from __future__ import annotations

import common.compat  # isort: skip
import mmseg.models  # noqa: F401

import common.models.classifier
import common.models.resnet  # noqa: F401
