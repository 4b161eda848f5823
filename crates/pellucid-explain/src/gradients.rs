//! The gradient of each target with respect to the input, or to a wire inside: what most methods start from.

use ndarray::{Array2, ArrayD, Axis, IxDyn};
use pellucid_core::{Model, ResolvedTarget, Target, Work};
use pellucid_graph::passes::{cut, prune};
use pellucid_graph::{Graph, Tensor, Wire, gradient};

use crate::error::Error;
use crate::micro_batch;
use crate::network::Network;
use crate::seeds::{seed_input, top_seeds};

/// `∂(target)/∂x` for each row and target, `[rows, K, features…]`, and the explained outputs `[rows, K]`. One forward
/// pass serves all targets of a row.
///
/// # Errors
/// Rows that do not fit, a target that is not there, an op without a rule, a canceled work.
pub(crate) fn gradients(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    work: &Work,
) -> Result<(ArrayD<f64>, ArrayD<f64>), Error> {
    let mut shape = network.input_shape().to_vec();
    let results = run_targets(network, rows, target, work, "gradient", |graph, seeds| {
        let (output, input) = (graph.outputs()[0], graph.inputs()[0]);
        seeds.iter().map(|seed| Ok(gradient(graph, output, *seed, &[input])?[0])).collect()
    })?;
    shape.splice(0..0, [rows.len_of(Axis(0)), target.n_targets()]);
    let [values] = results.per_target(&shape)?;
    Ok((values, results.outputs))
}

/// What a graph gave for each row and target.
pub(crate) struct PerTarget {
    /// Explained outputs, `[rows, K]`.
    pub(crate) outputs: ArrayD<f64>,
    /// For each wire that `build` gave, `[rows, …]` flat, row by row.
    wires: Vec<Vec<f64>>,
    n_targets: usize,
}

impl PerTarget {
    /// The wires' values side by side as `[rows, K, …]`, `build` having given `M` wires a target.
    pub(crate) fn per_target<const M: usize>(&self, shape: &[usize]) -> Result<[ArrayD<f64>; M], Error> {
        let arrays: Result<Vec<ArrayD<f64>>, _> = (0..M).map(|m| self.values_of(m, shape)).collect();
        arrays?.try_into().map_err(|_| Error::network("a result of another number of wires"))
    }

    /// The values of the `m`-th wire of each target as `[rows, K, …]`.
    pub(crate) fn values_of(&self, m: usize, shape: &[usize]) -> Result<ArrayD<f64>, Error> {
        let (n_rows, row_len) = (shape[0], shape[2..].iter().product::<usize>());
        let mut values = Vec::with_capacity(n_rows * self.n_targets * row_len);
        for row in 0..n_rows {
            for k in 0..self.n_targets {
                let wire = &self.wires[k * self.n_wires() + m];
                values.extend_from_slice(&wire[row * row_len..(row + 1) * row_len]);
            }
        }
        ArrayD::from_shape_vec(IxDyn(shape), values)
            .map_err(|error| Error::network(format!("a result of another shape: {error}")))
    }

    /// How many wires `build` gave for each target.
    pub(crate) fn n_wires(&self) -> usize {
        self.wires.len() / self.n_targets.max(1)
    }
}

/// Builds a graph of the network whose backward walks start at one seed a target, and runs it over all rows. `build`
/// emits nodes for the seeds and gives the wires `[N, …]` wanted, for each target the same number.
pub(crate) fn run_targets(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    work: &Work,
    key: &str,
    build: impl FnOnce(&mut Graph, &[Wire]) -> Result<Vec<Wire>, Error>,
) -> Result<PerTarget, Error> {
    network.check_rows(rows)?;
    let in_graph = matches!(target, Target::Top(_));
    let k = target.n_targets();
    let key = format!("{key}, {} of {k}", if in_graph { "top" } else { "given" });
    if in_graph {
        // The same check that resolving makes, before TopK would fail in the runtime.
        target.resolve(Array2::zeros((0, network.n_outputs())).view(), None)?;
    }
    let prepared = network.prepared(&key, || {
        let mut graph = network.graph().clone();
        let output = graph.outputs()[0];
        let seeds = match in_graph {
            true => top_seeds(&mut graph, output, network.n_outputs(), k),
            false => (0..k).map(|i| seed_input(&mut graph, output, &format!("target_weights_{i}"))).collect(),
        };
        let wires = build(&mut graph, &seeds)?;
        for wire in wires {
            graph.add_output(wire);
        }
        graph.check_fault()?;
        Ok(prune(&graph)?)
    })?;
    let given = if in_graph { None } else { Some(network.resolve(target, rows, None, work)?) };
    collect(network, rows, target, given, &prepared, work)
}

fn collect(
    network: &Network,
    rows: &ArrayD<f32>,
    target: &Target,
    given: Option<ResolvedTarget>,
    prepared: &crate::network::Prepared,
    work: &Work,
) -> Result<PerTarget, Error> {
    let n_rows = rows.len_of(Axis(0));
    let mut inputs = vec![rows.clone()];
    inputs.extend(given.iter().flat_map(|given| given.weights.iter().map(|w| w.clone().into_dyn())));
    let size = network.micro_batch(prepared, n_rows, work);
    let mut logits: Vec<f64> = Vec::new();
    let mut wires: Vec<Vec<f64>> = vec![Vec::new(); prepared.graph.outputs().len() - 1];
    work.progress.begin(n_rows);
    let result = micro_batch::run(&*prepared.session, &inputs, size, work, |range, tensors: Vec<Tensor>| {
        logits.extend(micro_batch::first_rows(&tensors[0], range.len()));
        for (values, tensor) in wires.iter_mut().zip(&tensors[1..]) {
            values.extend(micro_batch::first_rows(tensor, range.len()));
        }
        Ok(())
    });
    work.progress.end();
    result?;
    let logits = Array2::from_shape_vec((n_rows, network.n_outputs()), logits)
        .map_err(|error| Error::network(format!("outputs of another shape: {error}")))?;
    let resolved = match given {
        Some(given) => given,
        None => target.resolve(logits.view(), None)?,
    };
    Ok(PerTarget { outputs: explained(&logits, &resolved), wires, n_targets: target.n_targets() })
}

/// `Σ weight · output` for each row and target, `[rows, K]`.
pub(crate) fn explained(outputs: &Array2<f64>, target: &ResolvedTarget) -> ArrayD<f64> {
    let of = |row: usize, k: usize| {
        let weights = target.weights[k].row(row);
        outputs.row(row).iter().zip(weights).map(|(y, w)| y * f64::from(*w)).sum()
    };
    Array2::from_shape_fn((outputs.nrows(), target.weights.len()), |(row, k)| of(row, k)).into_dyn()
}

/// The part of a graph from `start` on as a graph of its own; `start` is its first input.
pub(crate) fn part_from(graph: &Graph, start: Wire) -> Result<Graph, Error> {
    Ok(cut(graph, &[start])?)
}
