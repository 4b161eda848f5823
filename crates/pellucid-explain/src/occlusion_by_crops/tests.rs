//! Linear models, whose occlusion is a sum by hand, captum's numbers, and a small convolutional network both ways.

#![allow(clippy::expect_used, reason = "a broken expectation is what a test reports")]

use std::sync::Arc;

use ndarray::{ArrayD, Axis, IxDyn};
use pellucid_core::{Baseline, Target, Work};
use pellucid_graph::{Incremental, Reference, text::parse};

use super::window::Windows;
use super::{Options, occlusion};
use crate::network::{self, Network};

fn network(text: &str) -> Network {
    let graph = parse(text).expect("the text is a graph");
    Network::new(&graph, Arc::new(Reference), &network::Options::default()).expect("a network")
}

fn numbers(shape: &[usize], scale: f32) -> ArrayD<f32> {
    let n = shape.iter().product::<usize>();
    let elements = (0..n).map(|i| ((i * 7 + 3) % 11) as f32 * scale - 1.0).collect();
    ArrayD::from_shape_vec(IxDyn(shape), elements).expect("as many")
}

fn list(numbers: &ArrayD<f32>) -> String {
    numbers.iter().map(f32::to_string).collect::<Vec<_>>().join(", ")
}

/// `f(x) = Σ w x` of an image `[2, 4, 5]`.
fn linear() -> (Network, ArrayD<f32>) {
    let weights = numbers(&[40, 1], 0.25);
    let text = format!(
        "f (float[N,2,4,5] x) => (float[N,1] y) <float[40,1] w = {{{}}}, int64[2] flat = {{-1, 40}}>
         {{ r = Reshape(x, flat) y = MatMul(r, w) }}",
        list(&weights)
    );
    (network(&text), weights.into_shape_with_order(IxDyn(&[2, 4, 5])).expect("as many"))
}

/// The sum by hand: the mean, over the windows that hold a feature, of `Σ w (x − baseline)` in the window.
fn check_linear(window: &[usize], strides: Option<&[usize]>, full: [(usize, usize); 3]) {
    let (network, weights) = linear();
    let rows = numbers(&[2, 2, 4, 5], 0.5);
    let options = Options {
        window: window.to_vec(),
        strides: strides.map(<[usize]>::to_vec),
        baseline: Baseline::Value(0.25),
        ..Options::default()
    };
    let work = Work::default();
    let values = occlusion(&network, &rows, &Target::Index(0), &options, &work).expect("explains").values;
    let starts = |length: usize, (size, stride): (usize, usize)| {
        let mut starts = vec![0];
        while starts[starts.len() - 1] + size < length {
            starts.push(starts[starts.len() - 1] + stride);
        }
        starts.into_iter().map(move |start| start..(start + size).min(length)).collect::<Vec<_>>()
    };
    for (row, values) in rows.outer_iter().zip(values.outer_iter()) {
        for ((c, y, x), value) in values
            .index_axis(Axis(0), 0)
            .into_dimensionality::<ndarray::Ix3>()
            .expect("an image")
            .indexed_iter()
        {
            let mut drops = Vec::new();
            for channels in starts(2, full[0]).iter().filter(|range| range.contains(&c)) {
                for rows in starts(4, full[1]).iter().filter(|range| range.contains(&y)) {
                    for columns in starts(5, full[2]).iter().filter(|range| range.contains(&x)) {
                        let inside = |at: &(usize, usize, usize)| {
                            channels.contains(&at.0) && rows.contains(&at.1) && columns.contains(&at.2)
                        };
                        let all = (0..40).map(|i| (i / 20, i / 5 % 4, i % 5)).filter(inside);
                        let drop =
                            |(c, y, x)| f64::from(weights[[c, y, x]]) * f64::from(row[[c, y, x]] - 0.25);
                        drops.push(all.map(drop).sum::<f64>());
                    }
                }
            }
            let mean = drops.iter().sum::<f64>() / drops.len() as f64;
            assert!(
                (value - mean).abs() < 1e-5,
                "{window:?} {strides:?} at {:?}: {value}, {mean}",
                (c, y, x)
            );
        }
    }
}

#[test]
fn a_linear_model_loses_what_the_window_weighs() {
    check_linear(&[2, 2], None, [(2, 2), (2, 2), (2, 2)]);
    check_linear(&[3, 3], Some(&[1, 2]), [(2, 2), (3, 1), (3, 2)]);
    check_linear(&[1, 4, 2], Some(&[1, 4, 1]), [(1, 1), (4, 4), (2, 1)]);
    check_linear(&[4], Some(&[3]), [(2, 2), (4, 4), (4, 3)]);
}

/// `captum.attr.Occlusion` 0.9 of `f(x) = Σ w x²`, `sliding_window_shapes=(1, 2, 3)`, `strides=(1, 2, 2)`,
/// `baselines=0.25`.
#[test]
fn overlaps_and_windows_cut_off_are_those_of_captum() {
    let net = network(&format!(
        "f (float[N,1,3,4] x) => (float[N,1] y) <float[12,1] w = {{{}}}, int64[2] flat = {{-1, 12}}>
         {{ s = Mul(x, x) r = Reshape(s, flat) y = MatMul(r, w) }}",
        list(&numbers(&[12, 1], 0.25))
    ));
    let rows = numbers(&[1, 1, 3, 4], 0.5);
    let (window, strides) = (vec![2, 3], Some(vec![2, 2]));
    let options = Options { window, strides, baseline: Baseline::Value(0.25), ..Options::default() };
    let values =
        occlusion(&net, &rows, &Target::Index(0), &options, &Work::default()).expect("explains").values;
    let captum = [
        [41.46875, 41.46875, 26.1328125, 10.796875],
        [41.46875, 41.46875, 26.1328125, 10.796875],
        [3.703125, 3.703125, 4.1484375, 4.59375],
    ];
    assert_eq!(values.into_iter().collect::<Vec<_>>(), captum.concat());
}

#[test]
fn windows_that_leave_gaps_or_do_not_fit_are_refused() {
    let refused = |window: &[usize], strides: Option<&[usize]>, part: &str| {
        let error = Windows::new(&[2, 4, 5], window, strides).err().expect("refused").to_string();
        assert!(error.contains(part), "{error}");
    };
    refused(&[], None, "0 axes");
    refused(&[1, 1, 1, 1], None, "4 axes");
    refused(&[5, 5], None, "5 along an axis of length 4");
    refused(&[0, 5], None, "0 along");
    refused(&[2, 2], Some(&[2]), "1 numbers");
    refused(&[2, 2], Some(&[2, 3]), "3 for a window of 2");
    refused(&[2, 2], Some(&[0, 1]), "0 for a window of 2");
    assert_eq!(
        Windows::new(&[2, 4, 5], &[4, 2], Some(&[9, 2])).expect("one place along the height").len(),
        3
    );
}

#[test]
fn a_window_is_as_good_by_parts() {
    let weights = [numbers(&[4, 1, 3, 3], 0.2), numbers(&[4, 4, 3, 3], 0.2), numbers(&[144, 2], 0.2)];
    let net = network(&format!(
        "net (float[N,1,48,48] x) => (float[N,2] y)
         <float[4,1,3,3] w = {{{}}}, float[4,4,3,3] v = {{{}}}, float[144,2] u = {{{}}}, int64[2] flat = {{-1, 144}}>
         {{ a = Conv<pads = [1, 1, 1, 1]>(x, w) b = Relu(a) c = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(b)
            d = Conv<pads = [1, 1, 1, 1]>(c, v) e = Add(c, d) f = Relu(e)
            g = AveragePool<kernel_shape = [4, 4], strides = [4, 4]>(f) r = Reshape(g, flat) y = MatMul(r, u) }}",
        list(&weights[0]),
        list(&weights[1]),
        list(&weights[2])
    ));
    let rows = numbers(&[1, 1, 48, 48], 0.25);
    let found = Incremental::of(net.graph(), &[7, 7], &[7, 7]).expect("types agree");
    assert!(found.is_some(), "nothing is tested");
    let by = |incremental| {
        let options = Options { window: vec![7, 7], incremental, ..Options::default() };
        occlusion(&net, &rows, &Target::Top(2), &options, &Work::default()).expect("explains")
    };
    let (parts, whole) = (by(true), by(false));
    let largest = whole.values.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    let distance = (&parts.values - &whole.values).iter().fold(0.0f64, |most, x| most.max(x.abs()));
    assert!(largest > 0.1 && distance < 1e-9 * largest, "{distance} of {largest}");
    assert_eq!(parts.evaluations, whole.evaluations);
}
