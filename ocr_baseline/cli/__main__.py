"""`python -m ocr_baseline.cli`."""

import sys

from ocr_baseline.cli.application import main

sys.exit(main())
