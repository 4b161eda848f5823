"""Names of captum that are not there: each says what is."""

import pytest

import pellucid
import pellucid.captum
import pellucid.lime

# What captum.attr 0.9 exports, but for the means of its own making: base classes, statistics, wrappers of text inputs.
OF_CAPTUM = """
    IntegratedGradients DataLoaderAttribution DeepLift DeepLiftShap InputXGradient Saliency GuidedBackprop Deconvolution
    GuidedGradCam FeatureAblation FeaturePermutation Occlusion ShapleyValueSampling ShapleyValues LimeBase Lime LRP
    KernelShap LayerConductance LayerGradientXActivation LayerActivation LayerFeaturePermutation LayerFeatureAblation
    LLMAttribution LLMGradientAttribution RemoteLLMAttribution InternalInfluence LayerGradCam LayerDeepLift
    LayerDeepLiftShap LayerGradientShap LayerIntegratedGradients LayerLRP NeuronConductance NeuronFeatureAblation
    NeuronGradient NeuronIntegratedGradients NeuronDeepLift NeuronDeepLiftShap NeuronGradientShap NeuronDeconvolution
    NeuronGuidedBackprop NoiseTunnel GradientShap LayerAttribution visualization
    configure_interpretable_embedding_layer remove_interpretable_embedding_layer
""".split()
ABSENT = [name for name in OF_CAPTUM if name not in pellucid.captum.__all__]


def test_most_of_captum_is_named():
    assert len(ABSENT) == len(OF_CAPTUM) - 19


@pytest.mark.parametrize("name", ABSENT)
def test_a_name_that_is_not_there_says_what_is(name):
    absent = getattr(pellucid.captum, name)
    with pytest.raises(pellucid.UnsupportedError, match=rf"{name} is not supported yet; .*there (is|are) ") as caught:
        absent("model.onnx", layer=None)
    assert "\n" not in str(caught.value)


def test_so_do_the_attributes_of_a_module_that_is_not_there():
    with pytest.raises(pellucid.UnsupportedError, match="heatmap"):
        pellucid.captum.visualization.visualize_image_attr(None)


def test_every_import_line_of_captum_stands():
    from pellucid.captum import LRP, DeepLift, GradientShap, Deconvolution, IntegratedGradients, NoiseTunnel  # noqa: F401

    assert "Deconvolution is not supported yet" in repr(Deconvolution)


def test_names_that_nobody_has_are_no_attributes():
    assert not hasattr(pellucid.captum, "IntegratedGradient")
    assert not hasattr(pellucid.lime, "LimeAudioExplainer")
    with pytest.raises(ImportError):
        from pellucid.captum import IntegratedGradient  # noqa: F401
