"""The networks: sizes and names as published, layers as drawn, weights as asked for."""

import pytest
import torch
from torch import nn

from cnnkit import models
from cnnkit.errors import UsageError

# parameters as published by torchvision; GoogLeNet with its two auxiliary heads
PUBLISHED = {
    "alexnet": 61_100_840,
    "vgg11": 132_863_336,
    "vgg11_bn": 132_868_840,
    "vgg13": 133_047_848,
    "vgg13_bn": 133_053_736,
    "vgg16": 138_357_544,
    "vgg16_bn": 138_365_992,
    "vgg19": 143_667_240,
    "vgg19_bn": 143_678_248,
    "googlenet": 13_004_888,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
}
# counted by hand: weights and biases of each layer in order
COURSE = {
    "digits": (10 * 9 + 10) + (160 * 100 + 100) + (100 * 10 + 10),
    "simple_convnet": (30 * 25 + 30) + (30 * 12 * 12 * 100 + 100) + (100 * 10 + 10),
    "keras_mnist": (64 * 49 + 64)
    + (128 * 64 * 9 + 128)
    + (128 * 128 * 9 + 128)
    + (256 * 128 * 9 + 256)
    + (256 * 256 * 9 + 256)
    + (256 * 9 * 128 + 128)
    + (128 * 10 + 10),
    "fashion": (32 * 9 + 32) + (64 * 32 * 9 + 64) + (128 * 64 * 9 + 128) + (128 * 4 * 512 + 512) + (512 * 10 + 10),
    "cifar": (32 * 27 + 32) + (64 * 32 * 9 + 64) + (128 * 64 * 9 + 128) + (128 * 9 * 1024 + 1024) + (1024 * 10 + 10),
    "cifar_improved": (32 * 27 + 32)
    + (32 * 32 * 9 + 32)
    + (64 * 32 * 9 + 64)
    + (64 * 64 * 9 + 64)
    + (128 * 64 * 9 + 128)
    + (128 * 128 * 9 + 128)
    + 2 * 2 * (32 + 64 + 128)
    + (128 * 16 * 1024 + 1024)
    + (1024 * 10 + 10),
    "lenet5": 61_706,
}


def build(name, **arguments):
    """On the meta device: shapes without the seconds that random numbers take."""
    with torch.device("meta"):
        return models.create(name, **arguments)


def n_parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def shapes(network):
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def test_the_registry_holds_what_is_measured_here():
    assert set(models.names()) == {*PUBLISHED, *COURSE, "alexnet_paper", "detector"}


@pytest.mark.parametrize(("name", "count"), PUBLISHED.items())
def test_parameters_as_published(name, count):
    assert n_parameters(build(name)) == count


@pytest.mark.parametrize(("name", "count"), COURSE.items())
def test_parameters_of_the_course_by_hand(name, count):
    assert n_parameters(build(name, classes=10)) == count


@pytest.mark.parametrize("name", [name for name in models.names() if name != "detector"])
def test_takes_its_natural_input(name):
    natural = models.network(name).input
    channels = 1 if natural.channels == "GRAY" else 3
    network = build(name, classes=7).eval()
    assert network(torch.empty(2, channels, natural.size, natural.size, device="meta")).shape == (2, 7)


@pytest.mark.parametrize("name", COURSE)
def test_course_networks_take_other_images(name):
    network = build(name, classes=3, channels=3, size=40).eval()
    assert network(torch.empty(2, 3, 40, 40, device="meta")).shape == (2, 3)


def test_state_dict_of_alexnet():
    assert shapes(build("alexnet")) == {
        "features.0.weight": (64, 3, 11, 11),
        "features.0.bias": (64,),
        "features.3.weight": (192, 64, 5, 5),
        "features.3.bias": (192,),
        "features.6.weight": (384, 192, 3, 3),
        "features.6.bias": (384,),
        "features.8.weight": (256, 384, 3, 3),
        "features.8.bias": (256,),
        "features.10.weight": (256, 256, 3, 3),
        "features.10.bias": (256,),
        "classifier.1.weight": (4096, 9216),
        "classifier.1.bias": (4096,),
        "classifier.4.weight": (4096, 4096),
        "classifier.4.bias": (4096,),
        "classifier.6.weight": (1000, 4096),
        "classifier.6.bias": (1000,),
    }


# where torchvision's convolutions stand in `features`
CONVOLUTIONS = {
    "vgg11": [0, 3, 6, 8, 11, 13, 16, 18],
    "vgg11_bn": [0, 4, 8, 11, 15, 18, 22, 25],
    "vgg13": [0, 2, 5, 7, 10, 12, 15, 17, 20, 22],
    "vgg16": [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28],
    "vgg16_bn": [0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40],
    "vgg19": [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34],
}


@pytest.mark.parametrize(("name", "places"), CONVOLUTIONS.items())
def test_state_dict_of_vgg(name, places):
    network = build(name)
    found = [at for at, layer in enumerate(network.features) if isinstance(layer, nn.Conv2d)]
    assert found == places
    heads = {key: shape for key, shape in shapes(network).items() if key.startswith("classifier")}
    assert heads == {
        "classifier.0.weight": (4096, 25088),
        "classifier.0.bias": (4096,),
        "classifier.3.weight": (4096, 4096),
        "classifier.3.bias": (4096,),
        "classifier.6.weight": (1000, 4096),
        "classifier.6.bias": (1000,),
    }
    if name.endswith("_bn"):
        assert f"features.{places[-1] + 1}.running_var" in shapes(network)


def norm(prefix, width):
    values = {f"{prefix}.{part}": (width,) for part in ("weight", "bias", "running_mean", "running_var")}
    return {**values, f"{prefix}.num_batches_tracked": ()}


def resnet_shapes(blocks, *, bottleneck):
    """torchvision's state dict, written from its naming: conv1 bn1, layerL.B.convK bnK, downsample.0 .1, fc."""
    found = {"conv1.weight": (64, 3, 7, 7), **norm("bn1", 64)}
    inputs = 64
    for stage, (count, width) in enumerate(zip(blocks, (64, 128, 256, 512), strict=True), start=1):
        outputs = width * (4 if bottleneck else 1)
        for block in range(count):
            at = f"layer{stage}.{block}"
            wide = (
                [(width, inputs, 1), (width, width, 3), (outputs, width, 1)]
                if bottleneck
                else [(width, inputs, 3), (width, width, 3)]
            )
            for number, (out, into, kernel) in enumerate(wide, start=1):
                found[f"{at}.conv{number}.weight"] = (out, into, kernel, kernel)
                found |= norm(f"{at}.bn{number}", out)
            if block == 0 and (stage > 1 or bottleneck):
                found[f"{at}.downsample.0.weight"] = (outputs, inputs, 1, 1)
                found |= norm(f"{at}.downsample.1", outputs)
            inputs = outputs
    return {**found, "fc.weight": (1000, inputs), "fc.bias": (1000,)}


@pytest.mark.parametrize(
    ("name", "blocks", "bottleneck"),
    [
        ("resnet18", (2, 2, 2, 2), False),
        ("resnet34", (3, 4, 6, 3), False),
        ("resnet50", (3, 4, 6, 3), True),
        ("resnet101", (3, 4, 23, 3), True),
        ("resnet152", (3, 8, 36, 3), True),
    ],
)
def test_state_dict_of_resnet(name, blocks, bottleneck):
    found = shapes(build(name))
    assert found == resnet_shapes(blocks, bottleneck=bottleneck)
    assert len(found) == {"resnet18": 122, "resnet50": 320}.get(name, len(found))


def test_bottleneck_strides_in_its_3x3():
    block = build("resnet50").layer2[0]
    assert (block.conv1.stride, block.conv2.stride) == ((1, 1), (2, 2))


def test_state_dict_of_googlenet():
    found = shapes(build("googlenet"))
    some = {
        "conv1.conv.weight": (64, 3, 7, 7),
        "conv3.bn.running_mean": (192,),
        "inception3a.branch1.conv.weight": (64, 192, 1, 1),
        "inception3a.branch2.1.conv.weight": (128, 96, 3, 3),
        "inception3a.branch3.1.conv.weight": (32, 16, 3, 3),
        "inception3a.branch4.1.conv.weight": (32, 192, 1, 1),
        "inception4e.branch2.1.conv.weight": (320, 160, 3, 3),
        "inception5b.branch1.conv.weight": (384, 832, 1, 1),
        "aux1.conv.conv.weight": (128, 512, 1, 1),
        "aux1.fc1.weight": (1024, 2048),
        "aux2.conv.conv.weight": (128, 528, 1, 1),
        "aux2.fc2.weight": (1000, 1024),
        "fc.weight": (1000, 1024),
    }
    assert {name: found.get(name) for name in some} == some
    # 57 convolutions and the two heads' with a norm of five each, three dense layers of the heads and the trunk
    assert len(found) == 59 * 6 + 2 * (2 + 2) + 2
    trunk = sum(
        parameter.numel()
        for name, parameter in build("googlenet").named_parameters()
        if not name.startswith(("aux1", "aux2"))
    )
    assert trunk == 6_624_904


def test_googlenet_shows_its_heads_only_in_training():
    network = build("googlenet", classes=5)
    images = torch.empty(2, 3, 224, 224, device="meta")
    assert [tuple(output.shape) for output in network.train()(images)] == [(2, 5)] * 3
    assert network.eval()(images).shape == (2, 5)


def test_alexnet_of_the_paper():
    network = build("alexnet_paper")
    first = network.features[0](torch.empty(1, 3, 224, 224, device="meta"))
    assert first.shape == (1, 96, 55, 55)
    assert n_parameters(network) == 60_965_224
    assert [layer.groups for layer in network.features if isinstance(layer, nn.Conv2d)] == [1, 2, 1, 2, 2]


def test_response_normalisation_is_the_papers():
    """b = a / (2 + 1e-4 sum of 5 neighbours' squares)^0.75."""
    layer = build("alexnet_paper").features[2]
    squares = torch.full((1, 5, 1, 1), 100.0)
    assert layer(squares)[0, 2, 0, 0].item() == pytest.approx(100 / (2 + 1e-4 * 5 * 100.0**2) ** 0.75)


def test_digits_start_as_the_course_draws_them():
    torch.manual_seed(0)
    network = models.create("digits", 10)
    assert network.dense.weight.std().item() == pytest.approx(0.1, rel=0.02)
    assert network.dense.bias.std().item() == pytest.approx(0.1, rel=0.2)


@pytest.mark.parametrize(
    ("initial", "deviation"),
    [
        (0.01, 0.01),
        ("he", (2 / (30 * 12 * 12)) ** 0.5),
        ("xavier", (2 / (30 * 12 * 12 + 100)) ** 0.5),
    ],
)
def test_initial_weights_by_name(initial, deviation):
    torch.manual_seed(0)
    network = models.create("simple_convnet", 10, initial=initial)
    assert network.affine1.weight.std().item() == pytest.approx(deviation, rel=0.02)
    assert network.affine1.bias.abs().max().item() == 0


def test_one_seed_one_network():
    networks = []
    for _ in range(2):
        torch.manual_seed(3)
        networks.append(models.create("cifar", 10).state_dict())
    assert all(torch.equal(networks[0][name], networks[1][name]) for name in networks[0])


def test_dropout_ends_with_training():
    network = models.create("cifar_improved", 10).eval()
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(network(images), network(images))


def test_unknown_name_is_answered_with_the_list():
    with pytest.raises(UsageError, match="there is no network 'resnet19'; cnnkit has digits, simple_convnet"):
        models.create("resnet19")


def test_unknown_initial_weights():
    with pytest.raises(ValueError, match="initial weights 'uniform' are unknown: use he, xavier"):
        models.create("digits", 10, initial="uniform")


def test_images_too_small_for_the_kernels():
    with pytest.raises(ValueError, match="a kernel of 3 does not fit a feature map of 1x1"):
        build("fashion", classes=10, size=4)
