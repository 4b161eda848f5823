"""captum's classes with torch's modules and tensors, beside captum itself."""

import captum.attr
import numpy as np
import pytest
import torch

import pellucid
import pellucid.captum


class Net(torch.nn.Module):
    """Two convolutions, with an activation that works in place, and two dense layers."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first = torch.nn.Conv2d(2, 4, 3, padding=1)
        self.second = torch.nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.act = torch.nn.ReLU(inplace=True)
        self.dropout = torch.nn.Dropout(0.5)
        self.dense = torch.nn.Linear(6 * 4 * 4, 5)

    def forward(self, x):
        x = torch.tanh(self.first(x))
        x = self.act(self.second(x))
        return self.dense(self.dropout(x.flatten(1)))


@pytest.fixture
def net():
    return Net().eval()


@pytest.fixture
def images():
    return torch.randn(3, 2, 8, 8, generator=torch.Generator().manual_seed(1))


TARGET = [0, 4, 2]
CALLS = {
    "IntegratedGradients": [
        {"target": 1},
        {"target": TARGET, "baselines": 0.3, "n_steps": 20},
        {"target": torch.tensor(TARGET), "baselines": "each", "method": "riemann_left"},
        {"target": TARGET, "baselines": "one", "method": "riemann_middle", "internal_batch_size": 7},
    ],
    "Saliency": [{"target": 1}, {"target": torch.tensor(TARGET), "abs": False}],
    "InputXGradient": [{"target": torch.tensor([3])}, {"target": [(0,), (4,), (2,)]}],
}


def both(name, net, *arguments):
    return getattr(captum.attr, name)(net, *arguments), getattr(pellucid.captum, name)(net, *arguments)


def assert_same(ours, theirs):
    assert isinstance(ours, torch.Tensor) and ours.dtype == theirs.dtype and ours.device == theirs.device
    torch.testing.assert_close(ours, theirs.detach(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("name", "given"), [(name, given) for name, calls in CALLS.items() for given in calls])
def test_changing_the_import_changes_nothing(net, images, name, given):
    baselines = {"each": images.flip(0) * 0.5, "one": images[:1] * 0.5}
    if isinstance(given.get("baselines"), str):
        given = {**given, "baselines": baselines[given["baselines"]]}
    theirs, ours = (method.attribute(images, **given) for method in both(name, net))
    assert_same(ours, theirs)


class Modules(torch.nn.Module):
    """What captum's LRP can do: modules with a rule, each used once."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.features = torch.nn.Sequential(
            torch.nn.Conv2d(2, 4, 3, padding=1),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
            torch.nn.Conv2d(4, 6, 3, padding=1),
            torch.nn.Tanh(),
            torch.nn.AvgPool2d(2),
        )
        self.dense = torch.nn.Linear(6 * 2 * 2, 5)

    def forward(self, x):
        return self.dense(self.features(x).flatten(1))


def test_relevance_is_captums_and_the_delta_counts_biases_apart(images):
    net = Modules().eval()
    theirs, ours = both("LRP", net)
    expected = theirs.attribute(images, target=torch.tensor(TARGET))
    relevance, delta = ours.attribute(images, target=TARGET, return_convergence_delta=True)
    torch.testing.assert_close(relevance, expected.detach(), rtol=1e-3, atol=1e-5)
    outputs = net(images)[range(3), TARGET].detach()
    missing = outputs - relevance.flatten(1).sum(1)
    assert missing.abs().max() > 1e-2, "no bias absorbs anything"
    assert delta.abs().max() < 1e-4


def test_deltas_are_captums(net, images):
    given = {"target": TARGET, "n_steps": 5, "method": "riemann_right", "return_convergence_delta": True}
    (values, delta), (our_values, our_delta) = (m.attribute(images, **given) for m in both("IntegratedGradients", net))
    assert_same(our_values, values)
    torch.testing.assert_close(our_delta, delta.to(our_delta.dtype), rtol=1e-3, atol=1e-5)
    theirs, ours = both("IntegratedGradients", net)
    found = ours.compute_convergence_delta(our_values, 0, images, target=TARGET)
    expected = theirs.compute_convergence_delta(values, torch.zeros_like(images), images, target=torch.tensor(TARGET))
    torch.testing.assert_close(found, expected.to(found.dtype), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("layer", ["first", "second", "act"])
@pytest.mark.parametrize("relu_attributions", [False, True])
def test_maps_of_layers_are_captums(net, images, layer, relu_attributions):
    # captum keeps the layer's own tensor, which an activation in place would change.
    net.act.inplace = False
    given = {"target": TARGET, "relu_attributions": relu_attributions}
    theirs, ours = (m.attribute(images, **given) for m in both("LayerGradCam", net, getattr(net, layer)))
    assert_same(ours, theirs)
    kinds = (captum.attr.LayerAttribution, pellucid.captum.LayerAttribution)
    expected, found = (kind.interpolate(theirs.detach(), (8, 8), "bilinear") for kind in kinds)
    assert_same(found, expected)


class Normalized(torch.nn.Module):
    """A convolution with a batch normalization behind it, which Pellucid folds into it wherever nobody looks at it."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(2)
        self.conv = torch.nn.Conv2d(2, 4, 3, padding=1)
        self.norm = torch.nn.BatchNorm2d(4)
        self.dense = torch.nn.Linear(4 * 8 * 8, 5)
        for of_norm in [self.norm.weight, self.norm.bias, self.norm.running_mean, self.norm.running_var]:
            of_norm.data.uniform_(0.5, 2.0)

    def forward(self, x):
        return self.dense(torch.relu(self.norm(self.conv(x))).flatten(1))


@pytest.mark.parametrize("layer", ["conv", "norm"])
def test_a_layer_before_a_normalization_is_itself(images, layer):
    net = Normalized().eval()
    theirs, ours = (m.attribute(images, target=TARGET) for m in both("LayerGradCam", net, getattr(net, layer)))
    assert_same(ours, theirs)


def test_what_follows_a_layer_may_work_in_place(net, images):
    in_place = pellucid.captum.LayerGradCam(net, net.second).attribute(images, TARGET)
    net.act.inplace = False
    assert torch.equal(in_place, pellucid.captum.LayerGradCam(net, net.second).attribute(images, TARGET))


def test_noise_has_captums_mean(net, images):
    given = {"nt_samples": 400, "stdevs": 0.3, "target": TARGET, "abs": False}
    torch.manual_seed(0)
    theirs = captum.attr.NoiseTunnel(captum.attr.Saliency(net)).attribute(images, **given)
    ours = pellucid.captum.NoiseTunnel(pellucid.captum.Saliency(net)).attribute(images, **given)
    spread = captum.attr.NoiseTunnel(captum.attr.Saliency(net)).attribute(images, nt_type="vargrad", **given).sqrt()
    # The difference of two means of 400 draws, in standard errors; 6 are not seen in 384 numbers.
    z = (ours - theirs).abs() / (spread * (2 / 400) ** 0.5 + 1e-6)
    assert z.max() < 6


def test_a_module_is_explained_as_it_is_now(net, images):
    method = pellucid.captum.Saliency(net)
    before = method.attribute(images, TARGET)
    with torch.no_grad():
        net.dense.weight.data.mul_(2)
    torch.testing.assert_close(method.attribute(images, TARGET), 2 * before, rtol=1e-4, atol=1e-6)


def test_a_loaded_module_is_exported_once(net, images):
    model = pellucid.load(net, example_inputs=images)
    assert_same(
        pellucid.captum.Saliency(model).attribute(images, TARGET), captum.attr.Saliency(net).attribute(images, TARGET)
    )


def test_training_mode_is_left_as_it_was(net, images):
    expected = pellucid.captum.Saliency(net).attribute(images, TARGET)
    net.train()
    assert torch.equal(pellucid.captum.Saliency(net).attribute(images, TARGET), expected)
    assert net.training and net.dropout.training


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64])
def test_tensors_come_back_as_tensors(net, images, dtype):
    model = pellucid.load(net, example_inputs=images)
    rows = images.to(dtype)
    attributions, delta = pellucid.captum.IntegratedGradients(model).attribute(
        (rows.requires_grad_(dtype.is_floating_point),), target=1, n_steps=2, return_convergence_delta=True
    )
    expected = dtype if dtype.is_floating_point else torch.float32
    assert attributions[0].dtype == expected and delta.dtype == expected and not attributions[0].requires_grad


def test_arrays_of_numpy_come_back_as_such(net, images):
    attributions = pellucid.captum.Saliency(net).attribute(images.numpy(), TARGET)
    assert isinstance(attributions, np.ndarray) and attributions.dtype == np.float32


def test_layers_of_something_else_are_refused(net, images):
    with pytest.raises(pellucid.InputError, match="no part of the Net"):
        pellucid.captum.LayerGradCam(net, Net().first).attribute(images, 0)
    with pytest.raises(pellucid.UnsupportedError, match="inspect"):
        pellucid.captum.LayerGradCam(pellucid.load(net, example_inputs=images), net.first)


def test_permutations_of_ones_own_take_tensors(images):
    """captum's, which has the batch turned around."""

    def turned(rows: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return torch.where(mask, rows.flip(0), rows)

    def function(rows: torch.Tensor) -> torch.Tensor:
        return (rows.flatten(1) ** 2).sum(dim=1)

    mask = torch.arange(8).repeat(8, 1)[None].repeat(2, 1, 1)
    expected = captum.attr.FeaturePermutation(function, turned).attribute(images, feature_mask=mask[None])
    found = pellucid.captum.FeaturePermutation(function, turned).attribute(images, feature_mask=mask[None])
    assert torch.is_tensor(found) and torch.allclose(found, expected, atol=1e-4)
