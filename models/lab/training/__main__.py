"""`python -m posecascade.models.lab.training RECIPE` does what `posecascade train RECIPE` does."""

import sys

from posecascade.models.lab.training.command import main

sys.exit(main())
