//! Gradients summed along the straight path from the baseline to the input, as one graph.
//!
//! The part of the network that is affine in the input moves on a straight line when the input does. It runs once at
//! either end of the path, and its backward part once, after the sum; only the body behind it runs at every point.

use std::sync::Arc;

use ndarray::{ArrayD, Axis, IxDyn};
use pellucid_core::{Model, Work};
use pellucid_graph::passes::{BATCH, affine_frontier, cut, embed};
use pellucid_graph::{Dim, ElementType, Graph, Type, gradient};

use crate::error::Error;
use crate::gradients::part_from;
use crate::micro_batch;
use crate::network::{Network, Prepared};

/// A network taken apart for path methods.
pub(crate) struct Path<'a> {
    network: &'a Network,
    /// Forward and backward of the affine part, where there is one.
    affine: Option<(Arc<Prepared>, Arc<Prepared>)>,
    /// The rest, from the start of the curved part to the output.
    body: Graph,
    /// The shape of one row at the start of the body.
    body_shape: Vec<usize>,
}

/// Points of one row on its path: `n` positions from 0 to 1 and their weights.
pub(crate) type Points = Vec<(f64, f64)>;

/// What a run along the path gives for one row.
pub(crate) struct Along {
    /// `Σ weight · gradient` at the start of the body, flat.
    pub(crate) gradient: Vec<f64>,
    /// The explained output at each point.
    pub(crate) outputs: Vec<f64>,
}

impl<'a> Path<'a> {
    /// Takes a network apart; sessions are made once for each network.
    pub(crate) fn new(network: &'a Network) -> Result<Self, Error> {
        let graph = network.graph();
        let frontier = affine_frontier(graph, network.input()).filter(|wire| *wire != network.output());
        let Some(frontier) = frontier else {
            let body_shape = network.input_shape().to_vec();
            return Ok(Self { network, affine: None, body: graph.clone(), body_shape });
        };
        let shape = graph.shape(frontier).and_then(|shape| shape.get(1..)?.iter().map(Dim::known).collect());
        let body_shape: Vec<usize> = shape.ok_or_else(|| Error::network("an inner shape is unknown"))?;
        let forward = network.prepared("affine forward", || {
            let mut part = graph.clone();
            part.set_outputs(&[frontier]);
            Ok(cut(&part, graph.inputs())?)
        })?;
        let backward = network.prepared("affine backward", || affine_backward(&forward.graph))?;
        let body = part_from(graph, frontier)?;
        Ok(Self { network, affine: Some((forward, backward)), body, body_shape })
    }

    /// `rows` at the start of the body, `[rows, …]`.
    pub(crate) fn start_of_body(&self, rows: &ArrayD<f32>, work: &Work) -> Result<ArrayD<f32>, Error> {
        match &self.affine {
            None => Ok(rows.clone()),
            Some((forward, _)) => through(self.network, forward, rows, &self.body_shape, work),
        }
    }

    /// Gradients at the start of the body `[rows, …]` carried back to the input.
    pub(crate) fn at_input(&self, gradients: &ArrayD<f32>, work: &Work) -> Result<ArrayD<f32>, Error> {
        match &self.affine {
            None => Ok(gradients.clone()),
            Some((_, backward)) => {
                through(self.network, backward, gradients, self.network.input_shape(), work)
            }
        }
    }

    /// The number of elements of a row at the start of the body.
    pub(crate) fn body_len(&self) -> usize {
        self.body_shape.iter().product()
    }

    /// Runs that go on at a time.
    pub(crate) fn lanes(&self) -> Result<usize, Error> {
        Ok(self.prepared(1)?.session.lanes().max(1))
    }

    /// How many points one run takes in comfort.
    pub(crate) fn points_per_run(&self, n_points: usize, work: &Work) -> Result<usize, Error> {
        let one = self.prepared(1)?;
        Ok(self.network.micro_batch(&one, n_points, work))
    }

    fn prepared(&self, n_points: usize) -> Result<Arc<Prepared>, Error> {
        self.network.prepared(&format!("path of {n_points}"), || self.graph(n_points))
    }

    /// Runs the body at `n_points` points of each row: from `start` by `difference`, `[rows, …]` each, for target
    /// weights `[rows, outputs]`. `rows_per_run` rows go through at a time.
    #[expect(clippy::too_many_arguments, reason = "three arrays by row, the points, and two sizes")]
    pub(crate) fn run(
        &self,
        start: &ArrayD<f32>,
        difference: &ArrayD<f32>,
        target_weights: &ArrayD<f32>,
        points: &[Points],
        n_points: usize,
        rows_per_run: usize,
        work: &Work,
    ) -> Result<Vec<Along>, Error> {
        let prepared = self.prepared(n_points)?;
        let column = |pick: fn(&(f64, f64)) -> f64| {
            let flat =
                points.iter().flat_map(|row| row.iter().map(move |point| pick(point) as f32)).collect();
            ArrayD::from_shape_vec(IxDyn(&[points.len(), n_points]), flat)
        };
        let shaped =
            |error: ndarray::ShapeError| Error::network(format!("points of another number: {error}"));
        let (positions, weights) = (column(|p| p.0).map_err(shaped)?, column(|p| p.1).map_err(shaped)?);
        let inputs = [start.clone(), difference.clone(), positions, weights, target_weights.clone()];
        let mut results = Vec::with_capacity(points.len());
        micro_batch::run(&*prepared.session, &inputs, rows_per_run, work, |range, tensors| {
            let gradients = micro_batch::first_rows(&tensors[0], range.len());
            let outputs = micro_batch::first_rows(&tensors[1], range.len());
            let rows = gradients.chunks(self.body_len().max(1)).zip(outputs.chunks(n_points));
            results.extend(rows.map(|(g, y)| Along { gradient: g.to_vec(), outputs: y.to_vec() }));
            Ok(())
        })?;
        Ok(results)
    }

    /// The graph that walks `n_points` points: inputs start, difference, positions, weights, target weights; outputs
    /// the weighted sum of gradients and the explained output at each point.
    fn graph(&self, n_points: usize) -> Result<Graph, Error> {
        let mut graph = Graph::new("path");
        let n = n_points as i64;
        let input = |graph: &mut Graph, name: &str, shape: &[usize]| {
            let mut dims = vec![Dim::symbol(BATCH)];
            dims.extend(shape.iter().map(|&n| Dim::Known(n)));
            graph.add_input(name, Type::new(ElementType::F32, dims))
        };
        let n_outputs = self.network.n_outputs();
        let start = input(&mut graph, "start", &self.body_shape);
        let difference = input(&mut graph, "difference", &self.body_shape);
        let positions = input(&mut graph, "positions", &[n_points]);
        let weights = input(&mut graph, "weights", &[n_points]);
        let target = input(&mut graph, "target_weights", &[n_outputs]);

        let mut flat_shape = vec![-1];
        flat_shape.extend(self.body_shape.iter().map(|&n| n as i64));
        let mut point_shape = vec![-1, n];
        point_shape.extend(self.body_shape.iter().map(|_| 1));
        let positions = graph.reshape(positions, &point_shape);
        let (start, difference) = (graph.unsqueeze(start, &[1]), graph.unsqueeze(difference, &[1]));
        let moved = graph.mul(difference, positions);
        let on_path = graph.add(start, moved);
        let on_path = graph.reshape(on_path, &flat_shape);
        let output = embed(&mut graph, &self.body, &[on_path])?[0];

        let (target, weights) = (graph.unsqueeze(target, &[1]), graph.unsqueeze(weights, &[2]));
        let seed = graph.mul(target, weights);
        let seed = graph.reshape(seed, &[-1, n_outputs as i64]);
        let gradient = gradient(&mut graph, output, seed, &[on_path])?[0];
        let mut by_point = vec![-1, n];
        by_point.extend(&flat_shape[1..]);
        let gradient = graph.reshape(gradient, &by_point);
        let total = graph.reduce_sum(gradient, &[1], false);
        let output = graph.reshape(output, &[-1, n, n_outputs as i64]);
        let explained = graph.mul(output, target);
        let explained = graph.reduce_sum(explained, &[2], false);
        graph.check_fault()?;
        graph.set_outputs(&[total, explained]);
        Ok(graph)
    }
}

/// The backward part of an affine graph: gradient at its output → gradient at its input.
fn affine_backward(forward: &Graph) -> Result<Graph, Error> {
    let mut graph = forward.clone();
    let (input, output) = (graph.inputs()[0], graph.outputs()[0]);
    let ty = graph.type_of(output).clone();
    let seed = graph.add_input("gradient", ty);
    let result = gradient(&mut graph, output, seed, &[input])?[0];
    graph.set_outputs(&[result]);
    let backward = cut(&graph, &[seed])?;
    match backward.inputs().len() {
        1 => Ok(backward),
        _ => Err(Error::network(
            "the backward part of its first layers depends on the input, though they are affine",
        )),
    }
}

/// All rows through a graph of one input and one output.
fn through(
    network: &Network,
    part: &Prepared,
    rows: &ArrayD<f32>,
    row_shape: &[usize],
    work: &Work,
) -> Result<ArrayD<f32>, Error> {
    let n_rows = rows.len_of(Axis(0));
    let size = network.micro_batch(part, n_rows, work);
    let mut values = Vec::with_capacity(n_rows * row_shape.iter().product::<usize>());
    micro_batch::run(&*part.session, std::slice::from_ref(rows), size, work, |range, tensors| {
        values.extend(micro_batch::first_rows(&tensors[0], range.len()).into_iter().map(|x| x as f32));
        Ok(())
    })?;
    let mut shape = vec![n_rows];
    shape.extend(row_shape);
    ArrayD::from_shape_vec(IxDyn(&shape), values)
        .map_err(|error| Error::network(format!("a result of another shape: {error}")))
}
