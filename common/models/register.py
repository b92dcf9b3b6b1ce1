"""Importing this module registers every network, head and initialiser with mmseg's and mmengine's registries.

Configs name it: custom_imports = dict(imports=["common.models.register"]).
"""

from __future__ import annotations

import common.compat  # isort: skip
import mmseg.models  # noqa: F401

import common.models.classifier
import common.models.deeplab
import common.models.efficientnet
import common.models.msc
import common.models.resnet
import common.models.resnet38
import common.models.vgg
import common.models.weights  # noqa: F401
