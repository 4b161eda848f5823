"""captum's Grad-CAM: the formula by hand, recorded activations and gradients, and maps enlarged."""

import numpy as np
import pytest
from test_captum import close, distance, recorded
from tiny_onnx import network

import pellucid
from pellucid.captum import GuidedBackprop, GuidedGradCam, LayerAttribution, LayerGradCam, Saliency

# Two channels, a = (x, −2 x) behind a ReLU, at four places; f_k = Σ w a.
KERNEL = np.array([1.0, -2.0]).reshape(2, 1, 1, 1)
WEIGHTS = np.array([[4.0, -1.0], [0.0, 0.0], [0.0, 3.0], [0.0, -2.0], [-1.0, 5.0], [-1.0, 0.0], [-1.0, 0.0], [-1.0, 0.0]])
SMALL = network(
    ["c = Conv(x, kernel)", "a = Relu(c)", "h = Flatten(a)", "y = MatMul(h, w)"],
    (1, 2, 2),
    {"kernel": KERNEL, "w": WEIGHTS},
)
IMAGES = np.array([[[[3.0, -1.0], [0.5, 0.0]]], [[[-2.0, -3.0], [1.0, 2.0]]]], np.float32)

# A recorded network, the wire that holds the recorded layer, and whether it is the one found without a name.
LAYERS = [
    ("resnet", "/layer4/layer4.0/relu_1/Relu_output_0", True),
    ("regnet", "/trunk_output/block3/block3-2/activation/Relu_output_0", True),
    ("inception", "/5/Relu_output_0", True),
    ("squeezenet", "/features/features.10/Concat_output_0", False),
    ("vgg", "/features/features.21/MaxPool_output_0", False),
    ("cnn1d", "/features/features.9/Tanh_output_0", True),
    ("conv3d", "/features/features.6/AveragePool_output_0", False),
]


def by_hand(target):
    """Σ mean(gradient) a, over the channels."""
    activations = np.maximum(IMAGES * KERNEL.reshape(1, 2, 1, 1), 0)
    means = WEIGHTS[:, target].reshape(2, 4).mean(axis=1)
    return (activations * means.reshape(1, 2, 1, 1)).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("target", [0, 1])
@pytest.mark.parametrize("relu", [False, True])
def test_maps_follow_the_formula_and_keep_their_sign(target, relu):
    maps = LayerGradCam(SMALL, "a").attribute(IMAGES, target, relu_attributions=relu)
    expected = by_hand(target)
    assert maps.shape == (2, 1, 2, 2) and maps.dtype == np.float32
    close(maps, np.maximum(expected, 0) if relu else expected)


def test_something_speaks_against_the_target():
    assert (LayerGradCam(SMALL, "a").attribute(IMAGES, 0) < 0).any()


def test_each_row_may_have_a_target_of_its_own():
    maps = LayerGradCam(SMALL, "a").attribute(IMAGES, [1, 0])
    close(maps, np.stack([by_hand(1)[0], by_hand(0)[1]]))


def test_the_last_feature_map_needs_no_name():
    found = LayerGradCam(SMALL, None).attribute(IMAGES, 0)
    assert np.array_equal(found, LayerGradCam(SMALL, "a").attribute(IMAGES, 0))


@pytest.mark.parametrize(("name", "layer", "is_found"), LAYERS)
def test_maps_are_those_of_recorded_activations_and_gradients(name, layer, is_found):
    model, expected = recorded(name)
    activations, gradients = expected["cam_activation"], expected["cam_gradient"]
    means = gradients.mean(axis=tuple(range(2, gradients.ndim)), keepdims=True)
    signed = (means * activations).sum(axis=1, keepdims=True)
    rows, target = expected["input"], expected["target"]
    for wire in [layer, None] if is_found else [layer]:
        method = LayerGradCam(model, wire)
        assert distance(method.attribute(rows, target), signed) < 1e-3
        positive = method.attribute(rows, target, relu_attributions=True)
        assert distance(positive[:, 0], expected["gradcam"]) < 1e-3


def test_maps_are_enlarged_as_explain_enlarges_them():
    rows = np.linspace(-1, 1, 2 * 28 * 28).reshape(2, 1, 28, 28)
    maps = LayerGradCam("fixtures/models/mnist_cnn.onnx", None).attribute(rows, 3, relu_attributions=True)
    explanation = pellucid.explain("fixtures/models/mnist_cnn.onnx", rows, "grad_cam", 3)
    assert np.array_equal(maps[:, 0], explanation.raw_map)
    close(LayerAttribution.interpolate(maps, (28, 28), "bilinear")[:, 0], explanation.values)


@pytest.mark.parametrize(
    ("shape", "dims", "expected"),
    [((1, 1, 2), 4, (1, 1, 4)), ((3, 2, 2, 5), (4, 3), (3, 2, 4, 3)), ((1, 1, 2, 2, 2), 5, (1, 1, 5, 5, 5))],
)
def test_interpolation_leaves_rows_and_channels(shape, dims, expected):
    assert LayerAttribution.interpolate(np.ones(shape), dims).shape == expected


def test_nearest_repeats_and_linear_goes_between():
    line = np.array([[[0.0, 4.0]]], np.float32)
    assert LayerAttribution.interpolate(line, 6).tolist() == [[[0.0, 0.0, 0.0, 4.0, 4.0, 4.0]]]
    assert LayerAttribution.interpolate(line, 4, "linear").tolist() == [[[0.0, 1.0, 3.0, 4.0]]]
    assert LayerAttribution.interpolate(line, 4).dtype == np.float32
    assert LayerGradCam.interpolate(line, 2).tolist() == line.tolist()


def test_a_tuple_comes_back_as_a_tuple():
    (maps,) = LayerGradCam(SMALL, "a").attribute((IMAGES,), 0)
    assert maps.shape == (2, 1, 2, 2)


def refused(layer="a", **given):
    return LayerGradCam(SMALL, layer).attribute(IMAGES, 0, **given)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: refused("nothing"), pellucid.InputError, "nothing"),
        (lambda: refused("y"), pellucid.InputError, "not known to hold features of places"),
        (lambda: refused(Saliency), pellucid.UnsupportedError, "pellucid.inspect"),
        (lambda: refused(attribute_to_layer_input=True), pellucid.UnsupportedError, "attribute_to_layer_input"),
        (lambda: refused(attr_dim_summation=False), pellucid.UnsupportedError, "attr_dim_summation"),
        (lambda: refused(grad_kwargs={}), pellucid.UnsupportedError, "grad_kwargs"),
        (lambda: refused(additional_forward_args=1), pellucid.UnsupportedError, "additional_forward_args"),
        (lambda: LayerAttribution.interpolate(np.ones((1, 2)), 3), pellucid.InputError, "spatial"),
        (lambda: LayerAttribution.interpolate(np.ones((1, 1, 2, 2)), (3,)), pellucid.InputError, "1 lengths for 2"),
        (lambda: LayerAttribution.interpolate(np.ones((1, 1, 2)), 3, "area"), pellucid.UnsupportedError, "linear"),
    ],
)
def test_faults_are_said_in_one_line(call, error, text):
    with pytest.raises(error, match=text) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_guided_grad_cam_is_the_product_of_its_parts(mode):
    network, rows = "fixtures/models/mnist_cnn.onnx", np.linspace(-1, 1, 2 * 28 * 28, dtype=np.float32).reshape(2, 1, 28, 28)
    found = GuidedGradCam(network, None).attribute(rows, [3, 5], interpolate_mode=mode)
    maps = LayerGradCam(network, None).attribute(rows, [3, 5], relu_attributions=True)
    expected = GuidedBackprop(network).attribute(rows, [3, 5]) * LayerAttribution.interpolate(maps, (28, 28), mode)
    assert found.shape == rows.shape and np.abs(found).max() > 0
    close(found, expected)
