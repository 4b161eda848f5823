//! The evaluator against numbers of PyTorch 2.15.0 in float64, and of onnx 1.23.2's reference where PyTorch means
//! something else. Epsilon is 2⁻¹⁰ because attributes are float32.

use crate::evaluate::evaluate;
use crate::tensor::Tensor;
use crate::text;

/// Some numbers on both sides of 0.
const X: [f64; 5] = [-3.0, -0.75, 0.0, 0.5, 2.25];

/// `i²/20 − 1`, as `[1, 4, 3]`.
fn squares() -> Vec<f64> {
    (0..12).map(|i| f64::from(i * i) / 20.0 - 1.0).collect()
}

#[track_caller]
fn check(signature: &str, call: &str, x: &[f64], expected: &[f64]) {
    let graph = text::parse(&format!("g {signature} {{ y = {call} }}")).unwrap();
    let shape = graph.type_of(graph.inputs()[0]).known_shape().unwrap();
    let y = evaluate(&graph, &[Tensor::f64(&shape, x.to_vec())]).unwrap()[0].to_f64s();
    assert_eq!(y.len(), expected.len());
    for (actual, expected) in y.iter().zip(expected) {
        assert!((actual - expected).abs() <= 1e-12, "{call}: {y:?}");
    }
}

#[track_caller]
fn check_activation(call: &str, expected: &[f64]) {
    check("(float[5] x) => (float[5] y)", call, &X, expected);
}

#[test]
fn activations_are_exact() {
    check_activation(
        "Erf(x)",
        &[-0.9999779095030014, -0.7111556336535151, 0.0, 0.5204998778130465, 0.9985372834133188],
    );
    check_activation(
        "Gelu(x)",
        &[-0.00404969409489031, -0.16997051428265111, 0.0, 0.34573123063700656, 2.2224949365261493],
    );
    check_activation(
        "Gelu<approximate = \"tanh\">(x)",
        &[-0.0036373920817729943, -0.17003944483437966, 0.0, 0.34571400982514394, 2.222798670102711],
    );
    check_activation(
        "Mish(x)",
        &[-0.1456474612756246, -0.27649471450546514, 0.0, 0.3752452113048951, 2.2094567576626254],
    );
    check_activation("Celu<alpha = 0.5>(x)", &[-0.4987606239116668, -0.3884349199257851, 0.0, 0.5, 2.25]);
    check_activation(
        "Softplus(x)",
        &[
            0.04858735157374206,
            0.38687100611489994,
            std::f64::consts::LN_2,
            0.9740769841801067,
            2.350206558916747,
        ],
    );
    check_activation("HardSwish(x)", &[-0.0, -0.28125, 0.0, 0.2916666666666667, 1.96875]);
    check_activation(
        "Swish(x)",
        &[-0.14227761953270035, -0.24061597561845527, 0.0, 0.3112296656009273, 2.035463703977004],
    );
}

#[test]
fn the_tail_of_gelu_keeps_its_digits() {
    let graph = text::parse("g (float x) => (float y) { y = Gelu(x) }").unwrap();
    let y = evaluate(&graph, &[Tensor::f64(&[], vec![-10.0])]).unwrap()[0].to_f64s()[0];
    // -10 Φ(-10), Φ(-10) = 7.619853024160527e-24; `1 + erf` would be 0.
    assert!((y / -7.619_853_024_160_527e-23 - 1.0).abs() < 1e-12, "{y:e}");
}

#[test]
fn normalizations_are_exact() {
    check(
        "(float[1,4,3] x) => (float[1,4,3] y) <float[4] s = {1, -0.5, 2, 0.25}, float[4] b = {0.125, 0.25, -0.375, 0}>",
        "GroupNormalization<num_groups = 2, epsilon = 0.0009765625>(x, s, b)",
        &squares(),
        &[
            -0.9028915009897598,
            -0.7907578826999677,
            -0.45435702783059206,
            0.2593444681908161,
            -0.1331231958234559,
            -0.6377244781275196,
            -3.0625550686176313,
            -2.1705155139275236,
            -1.1412391046697072,
            0.050034269894477186,
            0.21300303469363147,
            0.3931264063137493,
        ],
    );
    check(
        "(float[1,4,3] x) => (float[1,4,3] y) <float[4] s = {1, -0.5, 2, 0.25}, float[4] b = {0.125, 0.25, -0.375, 0}>",
        "InstanceNormalization<epsilon = 0.0009765625>(x, s, b)",
        &squares(),
        &[
            -0.7953309184584754,
            -0.24313236738338992,
            1.4134632858418639,
            0.8326870934444848,
            0.300668442908216,
            -0.38335553635270075,
            -2.7605807282682364,
            -0.4913697916228404,
            2.1269505198910776,
            -0.30073773824793776,
            -0.010194499601624996,
            0.31093223784956264,
        ],
    );
    check(
        "(float[1,4,3] x) => (float[1,4,3] y) <float[4] s = {1, -0.5, 2, 0.25}, float[4] b = {0.125, 0.25, -0.375, 0}, float[4] m = {0.5, 0, -1, 1}, float[4] v = {1, 2, 0.5, 0.25}>",
        "BatchNormalization<epsilon = 0.0009765625>(x, s, b, m, v)",
        &squares(),
        &[
            -1.3742681141306181,
            -1.3242925103262642,
            -1.1743656989132025,
            0.4444069079946417,
            0.3206934210889606,
            0.16163322363879923,
            4.711204251129769,
            6.547889119593297,
            8.667140890897366,
            1.0230038929449607,
            1.4970788677243327,
            2.0210564714278494,
        ],
    );
    check(
        "(float[1,4,3] x) => (float[1,4,3] y) <float[3] s = {1, -0.5, 2}, float[3] b = {0.125, 0.25, -0.375}>",
        "LayerNormalization<epsilon = 0.0009765625>(x, s, b)",
        &squares(),
        &[
            -0.7953309184584754,
            0.4340661836916949,
            2.201926571683728,
            -1.0403741868889695,
            0.300668442908216,
            2.158422145410803,
            -1.067790364134118,
            0.2790924479057101,
            2.126950519891077,
            -1.0779509529917508,
            0.27038899920324994,
            2.1124579027965016,
        ],
    );
    check(
        "(float[1,4,3] x) => (float[1,4,3] y) <float[3] s = {1, -0.5, 2}, float[3] b = {0.125, 0.25, -0.375}>",
        "RMSNormalization<epsilon = 0.0009765625>(x, s)",
        &squares(),
        &[
            -1.0856255976027989,
            0.5156721588613294,
            -1.7370009561644784,
            -1.4915254237288136,
            0.27118644067796605,
            1.3559322033898304,
            0.5031071863760008,
            -0.4559408876532508,
            2.767089525068005,
            0.7411305529749566,
            -0.4859872478524306,
            2.454235601654774,
        ],
    );
    check(
        "(float[1,4,3] x) => (float[1,4,3] y) <float s = {1}>",
        "LayerNormalization<axis = 1, epsilon = 0.0009765625>(x, s)",
        &squares(),
        &[
            -1.0698170537091736,
            -1.0444458982852407,
            -0.9683324320134417,
            -0.8414766548937768,
            -0.663878566926246,
            -0.4355381681108493,
            -0.15645545844758663,
            0.173369562063542,
            0.5539368934225365,
            0.9852465356293968,
            1.4672984886841232,
            2.0000927525867156,
        ],
    );
    check(
        "(float[1,4,3] x) => (float[1,4,3] y)",
        "LRN<size = 3, alpha = 0.5>(x)",
        &squares(),
        &[
            -0.8629979489620578,
            -0.8515303405616346,
            -0.7362508476283184,
            -0.4456646729111335,
            -0.14700665815635128,
            0.15304830847665912,
            0.3790213184648686,
            0.5103813072796192,
            0.5690695424540765,
            1.4655342007228653,
            1.4097005217003082,
            1.307957753177661,
        ],
    );
}

/// PyTorch's window leans to the left, ONNX's to the right; these are of onnx's reference, with the batch repeated
/// four times because it computes only as many channels as the batch is long.
#[test]
fn an_even_window_of_lrn_leans_to_the_right() {
    let graph = text::parse(
        "g (float[1,4,3] x) => (float[1,4,3] y) { y = LRN<size = 4, alpha = 0.5, beta = 0.5, bias = 2.0>(x) }",
    )
    .unwrap();
    for graph in [graph.clone(), crate::passes::lower(&graph).unwrap()] {
        let y = evaluate(&graph, &[Tensor::f64(&[1, 4, 3], squares())]).unwrap()[0].to_f64s();
        let expected = [
            -0.6677340394105185,
            -0.6157126980519401,
            -0.4875138178978012,
            -0.2980329467771208,
            -0.09555687905698884,
            0.10309278350515465,
            0.4416840251276499,
            0.7018839907089782,
            0.9134510636035926,
            1.6937094869410145,
            1.9373669022392077,
            2.0981988386495267,
        ];
        for (actual, expected) in y.iter().zip(expected) {
            assert!((actual - expected).abs() < 1e-6, "{y:?}");
        }
    }
}

#[test]
fn softmax_and_its_logarithm_are_exact() {
    check(
        "(float[1,4,3] x) => (float[1,4,3] y)",
        "Softmax<axis = 1>(x)",
        &squares(),
        &[
            0.015147976791767319,
            0.006438522335606447,
            0.0026941283224289373,
            0.023756756588050962,
            0.013630351891439926,
            0.007698878812794688,
            0.0916399193893013,
            0.07097296733609042,
            0.05411301389595208,
            0.8694553472308805,
            0.9089581584368632,
            0.9354939789688242,
        ],
    );
    check(
        "(float[1,4,3] x) => (float[1,4,3] y)",
        "LogSoftmax(x)",
        &squares(),
        &[
            -1.1856073432994787,
            -1.1356073432994787,
            -0.9856073432994787,
            -1.5357070796036356,
            -1.1857070796036355,
            -0.7357070796036357,
            -1.9417215026051697,
            -1.2917215026051698,
            -0.5417215026051697,
            -2.395598615521301,
            -1.445598615521301,
            -0.39559861552130116,
        ],
    );
    check(
        "(float[1,4,3] x) => (float[1] y) <int64[2] axes = {1, 2}>",
        "ReduceLogSumExp<keepdims = 0>(x, axes)",
        &squares(),
        &[5.52598380733602],
    );
}
