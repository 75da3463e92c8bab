"""`python -m ocr.performance.cli`."""

import sys

from ocr.performance.cli.application import main

sys.exit(main())
