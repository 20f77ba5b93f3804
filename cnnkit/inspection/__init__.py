"""What is in a file: its spec, its layers, what it costs; and pictures of what it has learned and looks at."""

from cnnkit.inspection._drawing import Drawing
from cnnkit.inspection._explain import Explanation, explain
from cnnkit.inspection._features import draw_features
from cnnkit.inspection._filters import draw_filters
from cnnkit.inspection._summary import Inspection, inspect

__all__ = ["Drawing", "Explanation", "Inspection", "draw_features", "draw_filters", "explain", "inspect"]
