"""The old name of `common.base.errors`."""

from common.base.errors import DataError, SupervisionError, UserError

__all__ = ["DataError", "SupervisionError", "UserError"]
