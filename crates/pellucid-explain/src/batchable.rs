//! Makes a network take several rows at once, or finds that it cannot.

use pellucid_graph::passes::{fold_constants, open_batch, pin_shapes};
use pellucid_graph::{Dim, Graph, Runtime, Tensor};

use crate::error::Error;

/// Rows that a batch is tried with.
const TRIED_ROWS: usize = 3;

/// Largest difference, relative to the outputs' scale, between a row in a batch and alone: float32 sums in another order.
const TOLERANCE: f64 = 1e-4;

/// A graph with the batch axis `N`, and what is to be known of it.
pub(crate) struct Batchable {
    pub(crate) graph: Graph,
    /// The most rows that one run may take, where there is such a limit.
    pub(crate) rows_at_once: Option<usize>,
    pub(crate) warnings: Vec<String>,
}

/// Pins every length but the batch. A file with a batch of 1 baked in is rewritten, and tried on random rows: each
/// must give in a batch what it gives alone. Where it does not, rows go one by one.
///
/// # Errors
/// A batch fixed at more than 1; lengths that do not fit; whatever the runtime reports of a single row.
pub(crate) fn batchable(
    source: &Graph,
    row_shape: &[usize],
    runtime: &dyn Runtime,
) -> Result<Batchable, Error> {
    let pinned = |batch: Option<usize>| {
        let mut shape = vec![batch];
        shape.extend(row_shape.iter().map(|&n| Some(n)));
        pin_shapes(source, &[shape])
    };
    let input = source.inputs()[0];
    match source.shape(input).and_then(|shape| shape.first()) {
        Some(Dim::Known(1)) => {}
        Some(Dim::Known(n)) => {
            let name = source.name_of(input);
            return Err(Error::network(format!(
                "the batch of its input `{name}` is fixed at {n}; export it with 1 or open"
            )));
        }
        _ => {
            let graph = pinned(None)?;
            if keeps_batch(&graph) {
                return Ok(Batchable { graph, rows_at_once: None, warnings: Vec::new() });
            }
        }
    }
    let single = fold_constants(&pinned(Some(1))?)?;
    let opened =
        open_batch(&single).ok().filter(|opened| holds_in_batches(opened, &single, row_shape, runtime));
    Ok(match opened {
        Some(graph) => Batchable { graph, rows_at_once: None, warnings: Vec::new() },
        None => Batchable {
            graph: single,
            rows_at_once: Some(1),
            warnings: vec![
                "a batch of 1 is baked into the model file: rows are explained one by one".to_owned(),
            ],
        },
    })
}

/// Whether the batch axis arrives at the output.
fn keeps_batch(graph: &Graph) -> bool {
    let first = graph
        .outputs()
        .first()
        .and_then(|output| graph.shape(*output))
        .and_then(|shape| shape.first().cloned());
    !matches!(first, Some(Dim::Known(_)))
}

/// Whether random rows give together what each gives alone.
fn holds_in_batches(opened: &Graph, single: &Graph, row_shape: &[usize], runtime: &dyn Runtime) -> bool {
    let rows = random_rows(row_shape);
    let run = |graph: &Graph, rows: &[Vec<f32>]| -> Option<Vec<f64>> {
        let mut shape = vec![rows.len()];
        shape.extend(row_shape);
        let session = runtime.session(graph).ok()?;
        Some(session.run(&[Tensor::f32(&shape, rows.concat())]).ok()?.first()?.to_f64s())
    };
    let alone: Option<Vec<f64>> = rows
        .iter()
        .map(|row| run(single, std::slice::from_ref(row)))
        .collect::<Option<Vec<_>>>()
        .map(|all| all.concat());
    match (run(opened, &rows), alone) {
        (Some(together), Some(alone)) if together.len() == alone.len() => {
            let scale = alone.iter().fold(f64::MIN_POSITIVE, |scale, y| scale.max(y.abs()));
            together.iter().zip(&alone).all(|(a, b)| (a - b).abs() <= TOLERANCE * scale)
        }
        _ => false,
    }
}

/// Rows of numbers between -1 and 1 from a fixed generator.
fn random_rows(row_shape: &[usize]) -> Vec<Vec<f32>> {
    let mut state = 0x2545_F491_4F6C_DD1Du64;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    let n: usize = row_shape.iter().product();
    (0..TRIED_ROWS).map(|_| (0..n).map(|_| draw()).collect()).collect()
}
