"""Print the JSON schema of results.json."""

import sys

from cnnkit.results import schema_text

sys.stdout.write(schema_text())
