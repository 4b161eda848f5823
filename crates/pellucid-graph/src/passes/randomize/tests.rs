use super::*;
use crate::evaluate::evaluate;
use crate::tensor::Data;
use crate::text::parse;

fn graph(text: &str) -> Graph {
    parse(text).expect("graph text")
}

/// Two dense layers, the second with its bias behind it, and a dead one.
fn dense() -> Graph {
    graph(
        "dense (float[N,2] x) => (float[N,1] y)
        <float[2,3] w1 = {1, -2, 3, 0.5, 0, -1}, float[3] b1 = {0.1, 0, -0.1}, float[3,1] w2 = {1, 2, -1},
         float[1] b2 = {0.25}, float[2,2] dead = {1, 2, 3, 4}>
        {
            hidden = MatMul(x, w1)
            biased = Add(b1, hidden)
            active = Relu(biased)
            linear = MatMul(active, w2)
            y = Add(linear, b2)
            unread = MatMul(x, dead)
        }",
    )
}

fn layers(graph: &Graph) -> Vec<(String, Vec<String>)> {
    parameter_layers(graph).into_iter().map(|layer| (layer.name, layer.parameters)).collect()
}

fn check_layers(text: &str, expected: &[(&str, &[&str])]) {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let expected: Vec<(String, Vec<String>)> =
        expected.iter().map(|(name, parameters)| ((*name).to_owned(), owned(parameters))).collect();
    assert_eq!(layers(&graph(text)), expected);
}

fn constants(graph: &Graph) -> BTreeMap<String, Tensor> {
    let constant = |wire| Some((graph.name_of(wire).to_owned(), (**graph.constant(wire)?).clone()));
    graph.wires().filter_map(constant).collect()
}

/// The names of the constants that differ between two graphs.
fn changed(a: &Graph, b: &Graph) -> Vec<String> {
    let (a, b) = (constants(a), constants(b));
    assert!(a.keys().eq(b.keys()));
    a.iter().filter(|(name, tensor)| b[*name] != **tensor).map(|(name, _)| name.clone()).collect()
}

#[test]
fn layers_are_listed_from_the_output_to_the_input_without_dead_ones() {
    let expected = [("linear", vec!["w2", "b2"]), ("hidden", vec!["w1", "b1"])];
    let expected = expected.map(|(name, parameters)| {
        (name.to_owned(), parameters.into_iter().map(str::to_owned).collect::<Vec<_>>())
    });
    assert_eq!(layers(&dense()), expected);
    let sizes: Vec<usize> = parameter_layers(&dense()).iter().map(|layer| layer.n_parameters).collect();
    assert_eq!(sizes, [4, 9]);
}

#[test]
fn parameters_are_found_behind_what_only_carries_them() {
    check_layers(
        "carried (float[N,2] x) => (float[N,3] y)
        <float16[3,2] w = {1, 2, 3, 4, 5, 6}>
        {
            wide = Cast<to = 1>(w)
            turned = Transpose<perm = [1, 0]>(wide)
            y = MatMul(x, turned)
        }",
        &[("y", &["w"])],
    );
}

#[test]
fn each_op_has_its_own_parameters() {
    check_layers(
        "ops (float[N,2,4] x) => (float[N,3] y)
        <float[3,2,1] kernel = {1, 2, 3, 4, 5, 6}, float[3] gamma = {1, 2, 3}, float[3] beta = {1, 2, 3},
         float[3] mean = {1, 2, 3}, float[3] variance = {1, 2, 3}, float[1] slope = {0.2},
         float[3,3] w = {1, 2, 3, 4, 5, 6, 7, 8, 9}, float[3] b = {1, 2, 3}, int64[1] last = {2}>
        {
            a = Conv(x, kernel)
            b1 = BatchNormalization(a, gamma, beta, mean, variance)
            c = PRelu(b1, slope)
            d = ReduceMean<keepdims = 0>(c, last)
            y = Gemm(d, w, b)
        }",
        &[("y", &["w", "b"]), ("c", &["slope"]), ("b1", &["gamma", "beta"]), ("a", &["kernel"])],
    );
}

#[test]
fn a_table_of_embeddings_is_a_layer_and_a_shape_is_none() {
    check_layers(
        "embedding (int64[N] tokens) => (float[N,2] y, int64 shape)
        <float[3,2] table = {1, 2, 3, 4, 5, 6}, int64[2] axes = {0, 1}, int64[1] first = {0}, int64 last = {1}>
        {
            shape = Gather(axes, last)
            y = Gather(table, tokens)
        }",
        &[("y", &["table"])],
    );
}

#[test]
fn products_of_activations_and_elementwise_constants_are_no_layers() {
    check_layers(
        "attention (float[N,2] x) => (float[N,2] y)
        <float[2] mean = {0.5, 0.25}>
        {
            centered = Sub(x, mean)
            turned = Transpose<perm = [1, 0]>(centered)
            products = MatMul(centered, turned)
            y = MatMul(products, centered)
        }",
        &[],
    );
}

#[test]
fn only_named_layers_are_redrawn_and_the_graph_stays_the_same_else() {
    let source = dense();
    let top = randomize(&source, &["linear"], 1).expect("a layer");
    assert_eq!(changed(&source, &top), ["w2"]);
    let both = randomize(&source, &["linear", "hidden"], 1).expect("two layers");
    assert_eq!(changed(&source, &both), ["b1", "w1", "w2"]);
    let none: [&str; 0] = [];
    assert_eq!(randomize(&source, &none, 1).expect("nothing to do"), source);
    let kept = |graph: &Graph| (graph.nodes().len(), graph.inputs().len(), graph.outputs().len());
    assert_eq!(kept(&both), kept(&source));
    // The redrawn graph runs, and computes something else.
    let x = Tensor::f32(&[1, 2], vec![1.0, 2.0]);
    let run = |graph: &Graph| evaluate(graph, std::slice::from_ref(&x)).expect("it runs")[0].to_f64s();
    assert_ne!(run(&both), run(&source));
}

#[test]
fn a_lone_element_has_no_spread_and_stays() {
    let redrawn = randomize(&dense(), &["linear"], 1).expect("a layer");
    assert_eq!(constants(&redrawn)["b2"], Tensor::f32(&[1], vec![0.25]));
}

#[test]
fn the_same_seed_gives_the_same_bytes_whatever_else_is_redrawn() {
    let source = dense();
    let redrawn = |layers: &[&str], seed| constants(&randomize(&source, layers, seed).expect("layers"));
    assert_eq!(redrawn(&["linear"], 7)["w2"], redrawn(&["hidden", "linear"], 7)["w2"]);
    assert_eq!(redrawn(&["hidden", "linear"], 7), redrawn(&["linear", "hidden"], 7));
    assert_ne!(redrawn(&["linear"], 7)["w2"], redrawn(&["linear"], 8)["w2"]);
    // Today's bits: who reads a seed in a record must find the same parameters in a later version.
    let Data::F32(w2) = redrawn(&["linear"], 7)["w2"].data().clone() else { panic!("not f32") };
    assert_eq!(w2.iter().map(|x| x.to_bits()).collect::<Vec<_>>(), W2_REDRAWN_WITH_SEED_7);
}

const W2_REDRAWN_WITH_SEED_7: [u32; 3] = [3212316830, 3222166387, 1076781174];

#[test]
fn mean_and_deviation_are_kept_and_order_is_not() {
    let n = 20_000;
    let learned: Vec<f64> = (0..n).map(|i| 3.0 + 0.5 * (i as f64 * 0.1).sin()).collect();
    let (mean, deviation) = moments(&learned);
    let redrawn = redraw(&Tensor::f64(&[n], learned.clone()), "w", 3).to_f64s();
    let (new_mean, new_deviation) = moments(&redrawn);
    // Four standard errors of the mean and of the deviation of n normal numbers.
    let error = 4.0 * deviation / (n as f64).sqrt();
    assert!((new_mean - mean).abs() < error, "{new_mean} for {mean}");
    assert!((new_deviation - deviation).abs() < error / 2f64.sqrt(), "{new_deviation} for {deviation}");
    let product = |(a, b): (&f64, &f64)| (a - mean) * (b - new_mean);
    let covariance: f64 = learned.iter().zip(&redrawn).map(product).sum::<f64>() / n as f64;
    assert!((covariance / deviation / new_deviation).abs() < 4.0 / (n as f64).sqrt());
}

#[test]
fn element_type_and_shape_are_kept() {
    let half = Tensor::f32(&[2, 2], vec![1.0, 2.0, 3.0, 4.0]).cast(crate::tensor::ElementType::F16);
    let redrawn = redraw(&half, "w", 0);
    assert_eq!((redrawn.element(), redrawn.shape()), (half.element(), half.shape()));
}

#[test]
fn a_shared_initializer_is_redrawn_for_all_that_read_it() {
    let tied = graph(
        "tied (float[N,2] x) => (float[N,2] y)
        <float[2,2] w = {1, 2, 3, 4}>
        {
            hidden = MatMul(x, w)
            y = MatMul(hidden, w)
        }",
    );
    assert_eq!(layers(&tied).len(), 2);
    let top = randomize(&tied, &["y"], 1).expect("a layer");
    assert_eq!(top, randomize(&tied, &["y", "hidden"], 1).expect("two layers"));
}

#[test]
fn what_has_no_parameters_or_cannot_be_redrawn_is_refused() {
    let check = |graph: &Graph, layer: &str, part: &str| {
        let error = randomize(graph, &[layer], 0).expect_err(part);
        assert!(error.to_string().contains(part), "{error}");
    };
    check(&dense(), "active", "`active` has no parameters");
    check(&dense(), "nowhere", "2 layers have, such as hidden, linear");
    let quantized = graph(
        "quantized (float[N,2] x) => (float[N,2] y)
        <int8[2,2] w = {1, 2, 3, 4}, float scale = {0.5}, int8 zero = {0}>
        {
            wide = DequantizeLinear(w, scale, zero)
            y = MatMul(x, wide)
        }",
    );
    check(&quantized, "y", "`w` is quantized (I8)");
}
