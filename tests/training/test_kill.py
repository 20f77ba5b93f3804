"""A training process that is killed, and the same command again."""

import signal
import subprocess
import sys
import time

import pytest
import torch

from cnnkit.checkpoints import load_checkpoint

# states are written after each epoch, which a run of seconds would not do by itself
TRAIN = """
import sys
from pathlib import Path
from cnnkit import training
from cnnkit.training import _state
_state.SAVE_EVERY_S = -1.0
settings = dict(net="cifar", imgsz=15, batch_size=4, epochs=30, workers=1, flip=0.5)
training.train(Path(sys.argv[1]), Path(sys.argv[2]), **settings)
"""


def start(data, output):
    return subprocess.Popen([sys.executable, "-c", TRAIN, str(data), str(output)])


@pytest.mark.slow
def test_killed_at_any_moment_and_run_again(colours, tmp_path):
    assert start(colours, tmp_path / "whole.pt").wait() == 0
    output = tmp_path / "killed.pt"
    for moment in (0.0, 0.05, 0.2):
        process = start(colours, output)
        while process.poll() is None and not output.with_suffix(".resume.pt").exists():
            time.sleep(0.01)
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert start(colours, output).wait() == 0
    whole, killed = load_checkpoint(tmp_path / "whole.pt"), load_checkpoint(output)
    assert all(torch.equal(whole.state_dict[name], killed.state_dict[name]) for name in whole.state_dict)
