"""Whether to test every combination instead of a choice of them that proves the same.

``make test-thorough`` sets ``THOROUGH=1``: the whole matrices, every width, many more examples.
"""

import os

THOROUGH = os.environ.get("THOROUGH") == "1"
