//! Times runs of an ONNX file with random input: `time_session MODEL [RUNTIME] [THREADS] [BATCH] [RUNS]`.

use std::path::Path;
use std::time::Instant;

use pellucid_graph::cases::uniform;
use pellucid_graph::{Dim, Graph, Tensor, Wire, onnx};
use pellucid_runtime::{Options, runtime};

type Fault = Box<dyn std::error::Error>;

#[expect(clippy::print_stdout, reason = "an example speaks to a person")]
fn main() -> Result<(), Fault> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize, default: usize| arguments.get(i).map_or(Ok(default), |text| text.parse());
    let model = arguments.first().ok_or("usage: time_session MODEL [RUNTIME] [THREADS] [BATCH] [RUNS]")?;
    let choice = arguments.get(1).map_or("auto", String::as_str).parse()?;
    let (threads, batch, n_runs) = (number(2, 1)?, number(3, 1)?, number(4, 100)?);

    let graph = onnx::read(Path::new(model))?.graph;
    let runtime = runtime(&Options { choice, threads, ..Options::default() })?;
    let start = Instant::now();
    let session = runtime.session(&graph)?;
    let inputs: Vec<Tensor> = graph.inputs().iter().map(|wire| random(&graph, *wire, batch)).collect();
    let first = session.run(&inputs)?;
    println!("{}", runtime.fingerprint());
    println!("session and first run: {:.1} ms, {} outputs", start.elapsed().as_secs_f64() * 1e3, first.len());
    let mut micros: Vec<f64> = Vec::with_capacity(n_runs);
    for _ in 0..n_runs {
        let start = Instant::now();
        session.run(&inputs)?;
        micros.push(start.elapsed().as_secs_f64() * 1e6);
    }
    micros.sort_by(f64::total_cmp);
    println!(
        "batch {batch}: median {:.1} µs, least {:.1} µs of {n_runs} runs",
        micros[n_runs / 2],
        micros[0]
    );
    Ok(())
}

/// Numbers from -1 to 1 (zeros for integers); every length that a run fixes is `batch`.
fn random(graph: &Graph, wire: Wire, batch: usize) -> Tensor {
    let length = |dim: &Dim| dim.known().unwrap_or(batch);
    let shape: Vec<usize> = graph.shape(wire).unwrap_or_default().iter().map(length).collect();
    let n: usize = shape.iter().product();
    let mut state = 1;
    let elements = match graph.element(wire).is_float() {
        true => (0..n).map(|_| 2.0 * uniform(&mut state) - 1.0).collect(),
        false => vec![0.0; n],
    };
    Tensor::f64(&shape, elements).cast(graph.element(wire))
}
