"""`python -m tests.parity PATH...`: hold the port against golden files."""

import sys

from tests.parity.runner import main

sys.exit(main(sys.argv[1:]))
