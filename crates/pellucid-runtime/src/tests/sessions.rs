//! What sessions promise beyond right numbers.

use std::sync::Arc;

use pellucid_graph::{ElementType, Error, Graph, Runtime, Tensor, Type, text};

use super::runtimes;
use crate::{Options, RuntimeChoice, doctor, runtime};

fn graph(source: &str) -> Graph {
    text::parse(source).unwrap()
}

fn run(runtime: &dyn Runtime, graph: &Graph, inputs: &[Tensor]) -> Result<Vec<Tensor>, Error> {
    runtime.session(graph)?.run(inputs)
}

#[test]
fn inputs_are_cast_to_what_the_graph_takes() {
    let graph = graph("g (float[N] x, int64[N] i) => (float[N] y, int64[N] j) { y = Neg(x)  j = Neg(i) }");
    for runtime in runtimes() {
        let inputs = [Tensor::f64(&[2], vec![0.5, -2.0]), Tensor::ints(&[3, -4]).cast(ElementType::I32)];
        let outputs = run(&*runtime, &graph, &inputs).unwrap();
        assert_eq!(outputs, [Tensor::f32(&[2], vec![-0.5, 2.0]), Tensor::ints(&[-3, 4])]);
    }
}

#[test]
fn comparisons_give_booleans() {
    let graph = graph("g (float[N] x, float[N] y) => (bool[N] z) { z = Greater(x, y) }");
    for runtime in runtimes() {
        let inputs = [Tensor::f32(&[2], vec![1.0, 2.0]), Tensor::f32(&[2], vec![2.0, 1.0])];
        assert_eq!(run(&*runtime, &graph, &inputs).unwrap(), [Tensor::bool(&[2], vec![false, true])]);
    }
}

#[test]
fn an_input_that_does_not_fit_is_told_by_name() {
    let graph = graph("g (float[N,3] x) => (float[N,3] y) { y = Neg(x) }");
    for runtime in runtimes() {
        let error = run(&*runtime, &graph, &[Tensor::f32(&[2, 2], vec![0.0; 4])]).unwrap_err();
        assert!(matches!(&error, Error::Input { input, .. } if input == "x"), "{error}");
    }
}

#[test]
fn an_output_may_be_an_input_or_a_constant_or_given_twice() {
    let mut graph = Graph::new("g");
    let x = graph.add_input("x", Type::fixed(ElementType::F32, &[2]));
    let constant = graph.add_constant("c", Tensor::f32(&[1], vec![7.0]));
    let y = graph.neg(x);
    graph.set_outputs(&[y, x, y, constant]);
    for runtime in runtimes() {
        let outputs = run(&*runtime, &graph, &[Tensor::f32(&[2], vec![1.0, 2.0])]).unwrap();
        let (x, y) = (Tensor::f32(&[2], vec![1.0, 2.0]), Tensor::f32(&[2], vec![-1.0, -2.0]));
        assert_eq!(outputs, [y.clone(), x, y, Tensor::f32(&[1], vec![7.0])], "{}", runtime.fingerprint());
    }
}

#[test]
fn half_of_what_a_gelu_reads_may_be_read_again() {
    let graph = graph(
        "g (float[N,2] x) => (float[N,2] y)
         <float half = {0.5}, float three = {3}, float a = {0.044715}, float b = {0.797884583}, float one = {1}>
         { h = Mul(x, half)  p = Pow(x, three)  q = Mul(p, a)  r = Add(x, q)  s = Mul(r, b)  t = Tanh(s)
           u = Add(t, one)  g = Mul(h, u)  e = Neg(h)  y = Add(g, e) }",
    );
    let x = Tensor::f32(&[1, 2], vec![1.0, -2.0]);
    let expected = pellucid_graph::evaluate(&graph, std::slice::from_ref(&x)).unwrap()[0].to_f64s();
    for runtime in runtimes() {
        let y = run(&*runtime, &graph, std::slice::from_ref(&x)).unwrap()[0].to_f64s();
        let distance = y.iter().zip(&expected).map(|(y, e)| (y - e).abs()).fold(0.0, f64::max);
        assert!(distance < 1e-6, "{}: {y:?}, not {expected:?}", runtime.fingerprint());
    }
}

#[test]
fn one_session_serves_many_threads() {
    let graph =
        graph("g (float[N,64] x, float[64,64] w) => (float[N,64] y) { z = MatMul(x, w)  y = Tanh(z) }");
    let weights = Tensor::f32(&[64, 64], (0..4096).map(|i| (i % 37) as f32 / 37.0 - 0.5).collect());
    let input = |k: usize| Tensor::f32(&[1 + k, 64], vec![k as f32 / 8.0; 64 * (1 + k)]);
    for runtime in runtimes() {
        let session = runtime.session(&graph).unwrap();
        let alone: Vec<_> = (0..8).map(|k| session.run(&[input(k), weights.clone()]).unwrap()).collect();
        std::thread::scope(|scope| {
            for (k, alone) in alone.iter().enumerate() {
                let (session, weights) = (session.clone(), &weights);
                scope.spawn(move || {
                    for _ in 0..50 {
                        assert_eq!(session.run(&[input(k), weights.clone()]).unwrap(), *alone);
                    }
                });
            }
        });
    }
}

#[test]
fn sessions_are_cached_by_graph() {
    for runtime in runtimes() {
        let source = "g (float[N] x) => (float[N] y) { y = Exp(x) }";
        let first = runtime.session(&graph(source)).unwrap();
        assert!(Arc::ptr_eq(&first, &runtime.session(&graph(source)).unwrap()));
        let other = runtime.session(&graph("g (float[N] x) => (float[N] y) { y = Log(x) }")).unwrap();
        assert!(!Arc::ptr_eq(&first, &other));
    }
}

#[test]
fn rten_names_the_op_it_cannot_run_and_the_way_out() {
    let rten = runtime(&Options { choice: RuntimeChoice::Rten, ..Options::default() }).unwrap();
    let last = graph("g (float[N,3] x) => (int64[N,1] y) { y = ArgMax<axis = 1>(x) }");
    let message = rten.session(&last).err().unwrap().to_string();
    for part in [
        "`ArgMax` at node `ArgMax_0`",
        "the last of equal elements",
        "pip install onnxruntime",
        "PELLUCID_ORT",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn integers_beyond_32_bits_are_refused_but_in_slices() {
    let rten = runtime(&Options { choice: RuntimeChoice::Rten, ..Options::default() }).unwrap();
    let mut added = Graph::new("g");
    let x = added.add_input("x", Type::fixed(ElementType::I64, &[1]));
    let large = added.ints(&[1 << 40]);
    let y = added.add(x, large);
    added.add_output(y);
    let message = rten.session(&added).err().unwrap().to_string();
    assert!(message.contains("1099511627776, beyond 32 bits"), "{message}");

    let mut sliced = Graph::new("g");
    let x = sliced.add_input("x", Type::fixed(ElementType::F32, &[3]));
    let y = sliced.slice(x, 0, 1, i64::MAX);
    sliced.add_output(y);
    let outputs = run(&*rten, &sliced, &[Tensor::f32(&[3], vec![1.0, 2.0, 3.0])]).unwrap();
    assert_eq!(outputs, [Tensor::f32(&[2], vec![2.0, 3.0])]);

    let negated = graph("g (int64[1] x) => (int64[1] y) { y = Neg(x) }");
    let message = run(&*rten, &negated, &[Tensor::ints(&[1 << 40])]).unwrap_err().to_string();
    assert!(message.contains("1099511627776 does not fit 32 bits"), "{message}");
}

#[test]
fn softplus_does_not_overflow() {
    let graph = graph("g (float[N] x) => (float[N] y) { y = Softplus(x) }");
    for runtime in runtimes() {
        let outputs = run(&*runtime, &graph, &[Tensor::f32(&[3], vec![-200.0, 0.0, 200.0])]).unwrap();
        assert_eq!(outputs, [Tensor::f32(&[3], vec![0.0, std::f32::consts::LN_2, 200.0])]);
    }
}

#[test]
fn an_execution_provider_that_is_not_there_is_told_with_those_that_are() {
    if runtimes().len() < 2 {
        return;
    }
    for name in ["cuda", "quantum"] {
        let options = Options { execution_providers: vec![name.to_owned()], ..Options::default() };
        let message = runtime(&options).err().unwrap().to_string();
        assert!(
            message.contains(&format!("`{name}`"))
                && message.contains("available: ")
                && message.contains("cpu")
        );
    }
    let options = Options { execution_providers: vec!["cpu".to_owned()], ..Options::default() };
    assert!(runtime(&options).unwrap().fingerprint().starts_with("onnxruntime"));
}

#[test]
fn options_are_checked() {
    let message = runtime(&Options { threads: 0, ..Options::default() }).err().unwrap().to_string();
    assert_eq!(message, "threads: expected at least 1, got 0");
    let cuda = vec!["cuda".to_owned()];
    let options = Options { choice: RuntimeChoice::Rten, execution_providers: cuda, ..Options::default() };
    assert!(
        runtime(&options)
            .err()
            .unwrap()
            .to_string()
            .starts_with("rten has no execution providers, got `cuda`")
    );
    assert!("onnx".parse::<RuntimeChoice>().unwrap_err().to_string().contains("auto, rten and onnxruntime"));
    for choice in ["auto", "rten", "onnxruntime"] {
        assert_eq!(choice.parse::<RuntimeChoice>().unwrap().to_string(), choice);
    }
}

#[test]
fn the_doctor_says_what_is_used() {
    let state = doctor(&Options { choice: RuntimeChoice::Rten, threads: 1, ..Options::default() });
    let used = state.used.clone().unwrap();
    assert!(used.starts_with("rten ") && used.ends_with("; 1 thread"), "{used}");
    assert_eq!(state.why, "asked for");
    let text = state.to_string();
    for part in [&state.version, &state.cpu, &used] {
        assert!(text.contains(part.as_str()), "{text}");
    }
}

#[test]
fn the_named_version_of_rten_is_the_pinned_one() {
    let manifest = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml")).unwrap();
    let version = crate::embedded::NAME.strip_prefix("rten ").unwrap();
    assert!(manifest.contains(&format!("rten = {{ version = \"={version}\"")));
}
