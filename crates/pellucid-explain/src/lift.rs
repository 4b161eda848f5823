//! The graph of DeepLIFT: inputs and baselines → attributions.

use std::sync::Arc;

use ndarray::{Array2, ArrayD, ArrayViewD, Axis, IxDyn};
use pellucid_core::{Model, Work};
use pellucid_graph::passes::prune;
use pellucid_graph::{Balance, Graph, MultiplierRule, Tensor, Wire, balances, multipliers};

use crate::error::Error;
use crate::micro_batch;
use crate::network::{Network, Prepared};
use crate::seeds::seed_input;

/// A network ready to be compared with baselines.
pub(crate) struct Lift<'a> {
    network: &'a Network,
    prepared: Arc<Prepared>,
    rule: MultiplierRule,
}

impl<'a> Lift<'a> {
    /// The session is made once for each network and rule.
    pub(crate) fn new(network: &'a Network, rule: MultiplierRule) -> Result<Self, Error> {
        let prepared = network.prepared(&format!("deep_lift, {}", rule.name()), || {
            let mut graph = network.graph().clone();
            let ends = Ends::new(&mut graph);
            let lifted = lifted(&mut graph, ends.seed, ends.baseline, rule)?;
            // The outputs keep inputs in use that a linear network's multipliers do not need.
            graph.add_output(lifted.output_at_baseline);
            graph.add_output(lifted.attribution);
            Ok(prune(&graph)?)
        })?;
        Ok(Self { network, prepared, rule })
    }

    /// Each of `rows` beside its baseline, `[rows, features…]` both, `weights` `[rows, outputs]` saying what is explained.
    pub(crate) fn compare(
        &self,
        rows: &ArrayD<f32>,
        baselines: &ArrayD<f32>,
        weights: &Array2<f32>,
        work: &Work,
    ) -> Result<Comparison, Error> {
        let n_rows = rows.len_of(Axis(0));
        let inputs = [rows.clone(), baselines.clone(), weights.clone().into_dyn()];
        let size = self.network.micro_batch(&self.prepared, n_rows, work);
        let mut parts = [const { Vec::new() }; 3];
        micro_batch::run(&*self.prepared.session, &inputs, size, work, |range, tensors| {
            for (part, tensor) in parts.iter_mut().zip(&tensors) {
                part.extend(micro_batch::first_rows(tensor, range.len()));
            }
            Ok(())
        })?;
        let fault = |error| Error::network(format!("a result of another shape: {error}"));
        let [outputs, at_baselines, values] = parts;
        let of_outputs = |part| Array2::from_shape_vec(weights.raw_dim(), part).map_err(fault);
        Ok(Comparison {
            outputs: of_outputs(outputs)?,
            at_baselines: of_outputs(at_baselines)?,
            values: ArrayD::from_shape_vec(rows.raw_dim(), values).map_err(fault)?,
        })
    }

    /// The node at which one row's attributions lose (or gain) most, and how much, where that is more than `least`.
    pub(crate) fn leak(
        &self,
        row: ArrayViewD<'_, f32>,
        baseline: ArrayViewD<'_, f32>,
        weights: &[f32],
        least: f64,
    ) -> Result<Option<Leak>, Error> {
        let mut graph = self.network.graph().clone();
        let ends = Ends::new(&mut graph);
        let (output, input) = (self.network.output(), self.network.input());
        let nodes = balances(&mut graph, output, ends.seed, input, ends.baseline, self.rule)?;
        let sides: Vec<Wire> = nodes.iter().flat_map(|node| [node.arrived, node.sent]).collect();
        graph.set_outputs(&sides);
        let session = self.network.runtime().session(&prune(&graph)?)?;
        let one = |row: ArrayViewD<'_, f32>| {
            let shape: Vec<usize> = [1].iter().chain(row.shape()).copied().collect();
            Tensor::f32(&shape, row.iter().copied().collect())
        };
        let weights = Tensor::f32(&[1, weights.len()], weights.to_vec());
        let results = session.run(&[one(row), one(baseline), weights])?;
        let amounts: Vec<f64> =
            results.iter().filter_map(|tensor| tensor.to_f64s().first().copied()).collect();
        let leaks = nodes.into_iter().zip(amounts.chunks(2)).map(|(node, sides)| Leak::of(node, sides));
        let worst = leaks.max_by(|a, b| a.size().total_cmp(&b.size()));
        Ok(worst.filter(|leak| leak.size().is_nan() || leak.size() > least))
    }
}

/// What [`Lift::compare`] found.
pub(crate) struct Comparison {
    /// The explained outputs at the rows, `[rows, outputs]`.
    pub(crate) outputs: Array2<f64>,
    /// The same at the baselines.
    pub(crate) at_baselines: Array2<f64>,
    /// `m ⊙ (x − x′)`, `[rows, features…]`.
    pub(crate) values: ArrayD<f64>,
}

/// A node that sends on another difference than arrives.
pub(crate) struct Leak {
    node: String,
    op: String,
    arrived: f64,
    sent: f64,
}

impl Leak {
    fn of(balance: Balance, sides: &[f64]) -> Self {
        let [arrived, sent] = [0, 1].map(|i| sides.get(i).copied().unwrap_or(f64::NAN));
        Self { node: balance.node, op: balance.op, arrived, sent }
    }

    fn size(&self) -> f64 {
        (self.arrived - self.sent).abs()
    }
}

impl std::fmt::Display for Leak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { node, op, arrived, sent } = self;
        write!(f, "`{op}` at node `{node}`: a difference of {arrived:.6} arrives and {sent:.6} goes on")
    }
}

/// What the graph is given beside the input.
struct Ends {
    baseline: Wire,
    seed: Wire,
}

impl Ends {
    fn new(graph: &mut Graph) -> Self {
        let (input, output) = (graph.inputs()[0], graph.outputs()[0]);
        let ty = graph.type_of(input).clone();
        let baseline = graph.add_input("baseline", ty);
        Self { baseline, seed: seed_input(graph, output, "target_weights") }
    }
}

/// What [`lifted`] adds to a network's graph.
pub(crate) struct Lifted {
    /// `m ⊙ (x − x′)`
    pub(crate) attribution: Wire,
    pub(crate) output_at_baseline: Wire,
}

/// Emits `m ⊙ (x − x′)` for the network that `graph` is.
pub(crate) fn lifted(
    graph: &mut Graph,
    seed: Wire,
    baseline: Wire,
    rule: MultiplierRule,
) -> Result<Lifted, Error> {
    let (input, output) = (graph.inputs()[0], graph.outputs()[0]);
    let multipliers = multipliers(graph, output, seed, input, baseline, rule)?;
    let difference = graph.sub(input, baseline);
    let attribution = graph.mul(multipliers.of_input, difference);
    graph.check_fault()?;
    Ok(Lifted { attribution, output_at_baseline: multipliers.output_at_baseline })
}

/// The explained outputs at the rows and at others, `[rows, outputs]` each, by one run of the network as the file has it.
pub(crate) fn outputs_at(
    network: &Network,
    rows: &ArrayD<f32>,
    others: &ArrayD<f32>,
    work: &Work,
) -> Result<(Array2<f64>, Array2<f64>), Error> {
    let both = ndarray::concatenate(Axis(0), &[rows.view(), others.view()])
        .map_err(|error| Error::network(error.to_string()))?;
    let outputs = network.outputs(&both, work)?;
    let (at_rows, at_others) = outputs.view().split_at(Axis(0), rows.len_of(Axis(0)));
    Ok((at_rows.to_owned(), at_others.to_owned()))
}

/// Checks that a background has rows of the network's shape, and at least one.
pub(crate) fn check_background(network: &Network, background: &ArrayD<f32>) -> Result<(), Error> {
    let fault = |reason: String| Error::option("background", reason);
    network.check_rows(background).map_err(|error| fault(error.to_string()))?;
    match background.len_of(Axis(0)) {
        0 => Err(fault("it has no rows".to_owned())),
        _ => Ok(()),
    }
}

/// Parts `[rows, features…]`, one a target, as `[rows, K, features…]`.
pub(crate) fn targets_second(parts: &[ArrayD<f64>]) -> Result<ArrayD<f64>, Error> {
    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
    ndarray::stack(Axis(1), &views).map_err(|error| Error::network(error.to_string()))
}

/// The mean over the background of what each row's target explains, `[rows, K]`.
pub(crate) fn mean_explained(at_background: &Array2<f64>, weights: &[Array2<f32>]) -> ArrayD<f64> {
    let n = at_background.nrows() as f64;
    let mean = at_background.sum_axis(Axis(0)) / n;
    let n_rows = weights.first().map_or(0, Array2::nrows);
    ArrayD::from_shape_fn(IxDyn(&[n_rows, weights.len()]), |place| {
        mean.iter().zip(weights[place[1]].row(place[0])).map(|(y, w)| y * f64::from(*w)).sum()
    })
}

/// Rows that one block of a long list of pairs may hold, so that the block itself takes little memory.
pub(crate) fn rows_per_block(network: &Network, work: &Work) -> usize {
    let row_bytes = 4 * network.input_shape().iter().product::<usize>().max(1);
    // Inputs, baselines, attributions in f64, and copies on their way.
    (work.max_memory_bytes / 16 / row_bytes).clamp(1, 4096)
}
