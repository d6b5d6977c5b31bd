"""`python -m models.training RECIPE` does what `posecascade train RECIPE` does."""

import sys

from models.training.cli import main

sys.exit(main())
