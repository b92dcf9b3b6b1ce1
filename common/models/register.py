"""Importing this module registers every network and head with mmseg's registry.

Configs name it: custom_imports = dict(imports=["common.models.register"]).
"""

from __future__ import annotations

import common.base.compat  # isort: skip

import common.models.boundary
import common.models.classifier
import common.models.deeplab
import common.models.efficientnet
import common.models.msc
import common.models.resnest
import common.models.resnet
import common.models.resnet38
import common.models.timm_backbone
import common.models.vgg  # noqa: F401
