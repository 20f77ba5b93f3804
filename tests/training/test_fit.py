"""Learning rates, losses, penalties and optimizers, each against a plain reading of its definition."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnkit import reference
from cnnkit.training._fit import class_weights, loss_of, make_optimizer, penalised, rate_at
from cnnkit.training._recipe import recipe_for


def recipe(**changes):
    return recipe_for("cifar", **{"lr": 1.0, "epochs": 10, **changes})


def rates(made, steps_per_epoch):
    return [rate_at(made, step, steps_per_epoch) for step in range(made.epochs * steps_per_epoch)]


def test_constant_rate():
    assert set(rates(recipe(), 3)) == {1.0}


def test_cosine_by_hand():
    found = rates(recipe(epochs=4, schedule="cosine"), 1)
    assert found == pytest.approx([1.0, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2])


def test_cosine_as_torch_has_it():
    weight = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=30)
    for ours in rates(recipe(schedule="cosine"), 3):
        assert ours == pytest.approx(theirs.get_last_lr()[0], abs=1e-12)
        optimizer.step()
        theirs.step()


def test_steps_by_hand():
    found = rates(recipe(epochs=5, schedule="step", step_epochs=2, step_factor=0.1), 2)
    assert found == pytest.approx([1.0] * 4 + [0.1] * 4 + [0.01] * 2)


def test_warm_up_climbs_and_then_hands_over():
    found = rates(recipe(epochs=2, warmup=0.75, schedule="cosine"), 4)
    assert found[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert found[4:] == sorted(found[4:], reverse=True)
    assert found[-1] > 0


def test_balanced_weights_by_hand():
    found = class_weights(recipe(class_weights="balanced"), ["a", "b"], np.array([0, 0, 0, 1]))
    assert found.tolist() == pytest.approx([4 / (2 * 3), 4 / (2 * 1)])
    found = class_weights(recipe(class_weights={"b": 5.0}), ["a", "b"], np.array([0, 1]))
    assert found.tolist() == [1.0, 5.0]
    assert class_weights(recipe(), ["a", "b"], np.array([0, 1])) is None


def test_loss_with_smoothing_and_weights_by_hand():
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.0, 0.0, 0.0]])
    labels = torch.tensor([0, 2])
    weight = torch.tensor([1.0, 2.0, 3.0])
    log_p = logits.log_softmax(1)
    smooth = 0.3
    each = [
        -sum(weight[c] * ((1 - smooth) * (c == label) + smooth / 3) * log_p[at, c] for c in range(3))
        for at, label in enumerate(labels.tolist())
    ]
    expected = sum(each) / (weight[0] + weight[2])
    assert loss_of(logits, labels, weight=weight, smoothing=smooth).item() == pytest.approx(expected.item(), rel=1e-6)


def test_auxiliary_heads_count_three_tenths():
    logits, upper, lower = torch.rand(3, 4, 5)
    labels = torch.tensor([0, 1, 2, 3])
    alone = [F.cross_entropy(head, labels).item() for head in (logits, upper, lower)]
    found = loss_of((logits, upper, lower), labels, weight=None, smoothing=0.0)
    assert found.item() == pytest.approx(alone[0] + 0.3 * (alone[1] + alone[2]), rel=1e-6)


def test_l1_pulls_weights_and_leaves_biases():
    layer = nn.Linear(3, 2)
    penalised(torch.zeros(()), layer, 0.5).backward()
    assert torch.equal(layer.weight.grad, 0.5 * layer.weight.sign())
    assert layer.bias.grad is None
    assert penalised(torch.tensor(2.0), layer, 0.5).item() == pytest.approx(2 + 0.5 * layer.weight.abs().sum().item())


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "adagrad"])
def test_l2_decays_weights_alone(name):
    """With no gradient from the loss weights shrink and biases stay."""
    layer = nn.Linear(4, 3)
    layer.weight.data = torch.tensor([0.5, -0.25, 2.0, -1.0]).repeat(3, 1)
    before = layer.weight.detach().clone(), layer.bias.detach().clone()
    optimizer = make_optimizer(recipe(optimizer=name, l2=0.1, lr=0.01), layer)
    for parameter in layer.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    assert torch.all(layer.weight.abs() < before[0].abs())
    assert torch.equal(layer.bias, before[1])


@pytest.mark.parametrize(
    ("name", "theirs"), [("adagrad", reference.AdaGrad(0.1)), ("sgd", reference.SGD(0.1, momentum=0.9))]
)
def test_optimizers_step_as_the_written_out_ones(name, theirs):
    random = np.random.default_rng(0)
    start = random.standard_normal((3, 4)).astype(np.float32)
    weight = {"w": start.copy()}
    layer = nn.Linear(4, 3, bias=False)
    layer.weight.data = torch.from_numpy(start.copy())
    ours = make_optimizer(recipe(optimizer=name, lr=0.1), layer)
    for _ in range(5):
        gradient = random.standard_normal((3, 4)).astype(np.float32)
        layer.weight.grad = torch.from_numpy(gradient.copy())
        ours.step()
        theirs.step(weight, {"w": gradient})
    assert np.allclose(layer.weight.detach().numpy(), weight["w"], atol=1e-6)


def test_course_settings_of_digits():
    made = recipe_for("digits")
    assert (made.optimizer, made.lr, made.batch_size, made.epochs) == ("adagrad", 0.01, 8, 50)
    assert recipe_for("digits", lr=0.5, batch_size=None).lr == 0.5
