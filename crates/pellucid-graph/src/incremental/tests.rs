//! Random small networks: computed on crops, whatever part of them, equals computed whole.

#![allow(clippy::expect_used, reason = "a broken expectation is what a test reports")]

use super::Incremental;
use super::layout::{Sliding, Survey};
use crate::cases::uniform;
use crate::evaluate::evaluate;
use crate::graph::{Attribute, Graph, Wire};
use crate::tensor::{ElementType, Tensor};
use crate::text::parse;
use crate::types::{Dim, Type};

const N_NETWORKS: u64 = 60;
/// Windows of a network that are looked at, the first and the last among them.
const N_WINDOWS: usize = 10;
/// Rounding in f64: each sum has the same summands in both, and zeros between them.
const TOLERANCE: f64 = 1e-12;

/// A network under construction, and the maps it has so far.
struct Net {
    graph: Graph,
    /// Each with its channels and lengths.
    maps: Vec<(Wire, usize, Vec<usize>)>,
    state: u64,
}

impl Net {
    fn draw(seed: u64) -> Self {
        let mut net = Self { graph: Graph::new("net"), maps: Vec::new(), state: seed };
        let n_axes = net.up_to(1, 2);
        let lengths = net.list(n_axes, 8, 13);
        let channels = 2 * net.up_to(1, 2);
        let mut dims = vec![Dim::symbol("N"), Dim::Known(channels)];
        dims.extend(lengths.iter().map(|&length| Dim::Known(length)));
        let input = net.graph.add_input("x", Type::new(ElementType::F32, dims));
        net.maps.push((input, channels, lengths));
        for _ in 0..net.up_to(2, 7) {
            net.grow();
        }
        net.end();
        net
    }

    fn up_to(&mut self, low: usize, high: usize) -> usize {
        low + (uniform(&mut self.state) * (high - low + 1) as f64) as usize
    }

    fn list(&mut self, n: usize, low: usize, high: usize) -> Vec<usize> {
        (0..n).map(|_| self.up_to(low, high)).collect()
    }

    fn tensor(&mut self, shape: &[usize]) -> Tensor {
        let draw = |_| f64::from((uniform(&mut self.state) * 2.0 - 1.0) as f32);
        Tensor::f64(shape, (0..shape.iter().product::<usize>()).map(draw).collect())
    }

    fn constant(&mut self, shape: &[usize]) -> Wire {
        let tensor = self.tensor(shape).cast(ElementType::F32);
        self.graph.add_constant("c", tensor)
    }

    fn grow(&mut self) {
        let (x, channels, lengths) = self.maps.last().expect("the input").clone();
        match self.up_to(0, 9) {
            0..=3 => self.convolution(x, channels, &lengths),
            4 => self.pool("MaxPool", x, channels, &lengths),
            5 => self.pool("AveragePool", x, channels, &lengths),
            6 => {
                let other = self.earlier(channels, &lengths, true);
                let sum = self.graph.add(x, other);
                self.maps.push((sum, channels, lengths));
            }
            7 => {
                let other = self.earlier(channels, &lengths, false);
                let channels = channels + self.maps.iter().find(|map| map.0 == other).expect("a map").1;
                let both = self.graph.concat(&[other, x], 1);
                self.maps.push((both, channels, lengths));
            }
            8 => {
                let shape = [vec![channels], vec![1; lengths.len()]].concat();
                let (scale, shift) = (self.constant(&shape), self.constant(&shape));
                let scaled = self.graph.mul(x, scale);
                let shifted = self.graph.sub(shift, scaled);
                let y = self.graph.relu(shifted);
                self.maps.push((y, channels, lengths));
            }
            _ => {
                let mean = self.graph.node("GlobalAveragePool", &[x], &[]);
                let gate = self.graph.sigmoid(mean);
                let y = self.graph.mul(x, gate);
                self.maps.push((y, channels, lengths));
            }
        }
    }

    /// A map so far of the same lengths, and perhaps channels; the newest one fits always.
    fn earlier(&mut self, channels: usize, lengths: &[usize], same_channels: bool) -> Wire {
        let fits =
            |map: &&(Wire, usize, Vec<usize>)| map.2 == lengths && (map.1 == channels || !same_channels);
        let found: Vec<Wire> = self.maps.iter().filter(fits).map(|map| map.0).collect();
        found[self.up_to(0, found.len() - 1)]
    }

    fn window(&mut self, lengths: &[usize]) -> (Vec<usize>, Vec<(&'static str, Attribute)>) {
        let n = lengths.len();
        let kernel: Vec<usize> = lengths.iter().map(|&length| self.up_to(1, 3.min(length))).collect();
        let strides = self.list(n, 1, 2);
        let dilations: Vec<usize> =
            (0..n).map(|i| if lengths[i] > 2 * kernel[i] { self.up_to(1, 2) } else { 1 }).collect();
        let pads: Vec<usize> = (0..2 * n).map(|i| self.up_to(0, kernel[i % n] - 1)).collect();
        let ints = |list: &[usize]| Attribute::Ints(list.iter().map(|&n| n as i64).collect());
        let attributes = vec![
            ("kernel_shape", ints(&kernel)),
            ("strides", ints(&strides)),
            ("dilations", ints(&dilations)),
            ("pads", ints(&pads)),
        ];
        (kernel, attributes)
    }

    fn push(&mut self, y: Wire, channels: usize) {
        let lengths =
            self.graph.shape(y).expect("inferred")[2..].iter().map(|dim| dim.known().expect("a number"));
        let lengths = lengths.collect();
        self.maps.push((y, channels, lengths));
    }

    fn convolution(&mut self, x: Wire, channels: usize, lengths: &[usize]) {
        let (kernel, mut attributes) = self.window(lengths);
        let groups = if channels.is_multiple_of(2) { self.up_to(1, 2) } else { 1 };
        attributes.push(("group", Attribute::Int(groups as i64)));
        let made = groups * self.up_to(1, 2);
        let w = self.constant(&[&[made, channels / groups], &kernel[..]].concat());
        let b = self.constant(&[made]);
        let y = self.graph.node("Conv", &[x, w, b], &attributes);
        self.push(y, made);
    }

    fn pool(&mut self, op: &str, x: Wire, channels: usize, lengths: &[usize]) {
        let (_, mut attributes) = self.window(lengths);
        attributes.push(("ceil_mode", Attribute::Int(self.up_to(0, 1) as i64)));
        if op == "AveragePool" {
            attributes.push(("count_include_pad", Attribute::Int(self.up_to(0, 1) as i64)));
        }
        let y = self.graph.node(op, &[x], &attributes);
        self.push(y, channels);
    }

    /// Weighs every position of the last map by itself.
    fn end(&mut self) {
        let (x, channels, lengths) = self.maps.last().expect("the input").clone();
        let n = channels * lengths.iter().product::<usize>();
        let flat = self.graph.reshape(x, &[-1, n as i64]);
        let w = self.constant(&[n, 2]);
        let y = self.graph.matmul(flat, w);
        self.graph.add_output(y);
    }
}

/// Every place of a window that slides over `lengths`.
fn corners(lengths: &[usize], sliding: &Sliding) -> Vec<Vec<usize>> {
    lengths.iter().enumerate().fold(vec![Vec::new()], |corners, (axis, &length)| {
        let n = (length - sliding.size[axis]).div_ceil(sliding.stride[axis]);
        let along = move |corner: &Vec<usize>| {
            let corner = corner.clone();
            (0..=n).map(move |i| [&corner[..], &[i * sliding.stride[axis]]].concat())
        };
        corners.iter().flat_map(along).collect()
    })
}

/// The first, the last and some between.
fn some(corners: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let n = corners.len().min(N_WINDOWS);
    (0..n).map(|i| corners[i * (corners.len() - 1) / (n - 1).max(1)].clone()).collect()
}

/// The row once for each corner, 0.5 in its window.
fn occluded(row: &Tensor, sliding: &Sliding, corners: &[Vec<usize>]) -> Tensor {
    let (x, shape) = (row.to_f64s(), row.shape());
    let lengths = &shape[2..];
    let plane: usize = lengths.iter().product();
    let hidden = |corner: &[usize], mut position: usize| {
        (0..lengths.len()).rev().all(|axis| {
            let at = position % lengths[axis];
            position /= lengths[axis];
            (corner[axis]..corner[axis] + sliding.size[axis]).contains(&at)
        })
    };
    let of = |corner: &Vec<usize>| {
        let element = |(i, x): (usize, &f64)| if hidden(corner, i % plane) { 0.5 } else { *x };
        x.iter().enumerate().map(element).collect::<Vec<_>>()
    };
    let shape = [&[corners.len()], &shape[1..]].concat();
    Tensor::f64(&shape, corners.iter().flat_map(of).collect())
}

fn by_parts(split: &Incremental, row: &Tensor, rows: &Tensor, corners: &[Vec<usize>]) -> Tensor {
    let kept = evaluate(split.clean(), std::slice::from_ref(row)).expect("the graph runs").split_off(1);
    let crops = split.head_inputs(rows, &kept, corners).expect("floats");
    let regions = evaluate(split.head(), &crops).expect("the head runs");
    let maps = split.tail_inputs(rows, &kept, corners, &regions).expect("floats");
    evaluate(split.tail(), &maps).expect("the tail runs").remove(0)
}

fn check_equal(actual: &Tensor, expected: &Tensor, what: &str) {
    assert_eq!(actual.shape(), expected.shape(), "{what}");
    let (actual, expected) = (actual.to_f64s(), expected.to_f64s());
    let largest = expected.iter().fold(1.0f64, |most, y| most.max(y.abs()));
    for (a, b) in actual.iter().zip(&expected) {
        assert!((a - b).abs() <= TOLERANCE * largest, "{what}: {a} instead of {b}");
    }
}

#[test]
fn every_part_on_crops_equals_the_whole() {
    let mut n_splits = 0;
    for seed in 0..N_NETWORKS {
        let mut net = Net::draw(seed);
        net.graph.check_fault().expect("a network that fits");
        let (_, channels, lengths) = net.maps[0].clone();
        let size: Vec<usize> = lengths.iter().map(|&length| net.up_to(1, length / 2)).collect();
        let stride = size.iter().map(|&size| net.up_to(1, size)).collect();
        let sliding = Sliding { size, stride };
        let row = net.tensor(&[&[1, channels], &lengths[..]].concat());
        let corners = some(&corners(&lengths, &sliding));
        let rows = occluded(&row, &sliding, &corners);
        let whole = evaluate(&net.graph, std::slice::from_ref(&rows)).expect("the network runs").remove(0);
        let survey = Survey::of(&net.graph).expect("a map");
        for cut in survey.cuts() {
            let layout = survey.layout(&sliding, cut).expect("a part");
            let split = Incremental::split(&survey, &layout, 1.0).expect("a graph");
            let parts = by_parts(&split, &row, &rows, &corners);
            check_equal(&parts, &whole, &format!("network {seed}, {sliding:?}, cut {cut}"));
            n_splits += 1;
        }
    }
    assert!(n_splits > 3 * N_NETWORKS as usize, "{n_splits}");
}

fn gain(text: &str, size: usize) -> Option<f64> {
    let graph = parse(text).expect("the text is a graph");
    Incremental::of(&graph, &[size; 2], &[size; 2]).expect("types agree").map(|split| split.gain())
}

#[test]
fn small_windows_gain_and_large_ones_are_left() {
    let net = format!(
        "net (float[N,1,64,64] x) => (float[N,8,1,1] y) <float[8,1,3,3] w = {{{}}}>
         {{ a = Conv<pads = [1, 1, 1, 1]>(x, w) b = Relu(a) c = Sigmoid(b) d = Tanh(c) e = Erf(d)
            y = GlobalAveragePool(e) }}",
        ["1"; 72].join(", ")
    );
    assert!(gain(&net, 8).is_some_and(|gain| gain > 1.5), "{:?}", gain(&net, 8));
    assert_eq!(gain(&net, 60), None);
}

#[test]
fn what_is_not_local_is_left_whole() {
    for end in ["y = Softmax<axis = 3>(x)", "y = Add(x, rows)", "y = Transpose<perm = [0, 1, 3, 2]>(x)"] {
        let text = format!(
            "net (float[N,1,4,4] x) => (float[N,1,4,4] y) <float[1,1,1,4] rows = {{1, 2, 3, 4}}> {{ {end} }}"
        );
        let graph = parse(&text).expect("the text is a graph");
        assert_eq!(Survey::of(&graph).expect("a map").cuts().count(), 0, "{end}");
    }
}
