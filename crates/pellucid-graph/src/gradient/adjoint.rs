//! The law that defines the gradient of a linear op, on drawn settings: `⟨dy, f(x) − f(0)⟩ = ⟨f′(dy), x⟩`.

use super::gradient;
use crate::cases::uniform;
use crate::evaluate::evaluate;
use crate::passes::{fold_constants, lower};
use crate::tensor::Tensor;
use crate::text;

/// A source of drawn settings.
struct Draw(u64);

impl Draw {
    /// A whole number from `low` to `high`, both included.
    fn int(&mut self, low: i64, high: i64) -> i64 {
        low + (uniform(&mut self.0) * (high - low + 1) as f64) as i64
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.int(0, choices.len() as i64 - 1) as usize]
    }

    fn ints(&mut self, n: usize, low: i64, high: i64) -> Vec<i64> {
        (0..n).map(|_| self.int(low, high)).collect()
    }

    /// Two or three lengths behind the batch.
    fn lengths(&mut self) -> Vec<i64> {
        let n = self.int(1, 3) as usize;
        self.ints(n, 1, 6)
    }

    fn tensor(&mut self, shape: &[usize]) -> Tensor {
        let n = shape.iter().product();
        Tensor::f64(shape, (0..n).map(|_| uniform(&mut self.0) - 0.5).collect())
    }
}

fn list(numbers: &[i64]) -> String {
    numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")
}

fn ints(name: &str, numbers: &[i64]) -> String {
    format!("int64[{}] {name} = {{{}}}", numbers.len(), list(numbers))
}

/// A graph of one op on `x` of shape `[N, lengths…]`; the lengths of the result are left to inference.
fn graph_text(lengths: &[i64], rank: usize, constants: &str, body: &str) -> String {
    let result = vec!["?"; rank].join(",");
    format!("g (float[N,{}] x) => (float[{result}] y) <{constants}> {{ {body} }}", list(lengths))
}

/// Checks the law for 200 graphs, each on a batch of 2 and of 3.
fn check(seed: u64, describe: impl Fn(&mut Draw) -> String) {
    let mut draw = Draw(seed);
    for _ in 0..200 {
        let description = describe(&mut draw);
        check_one(&mut draw, &description).unwrap_or_else(|reason| panic!("{reason}\nof {description}"));
    }
}

fn check_one(draw: &mut Draw, description: &str) -> Result<(), String> {
    let text = |error: crate::Error| error.to_string();
    let forward = text::parse(description).map_err(text)?;
    let mut backward = lower(&fold_constants(&forward).map_err(text)?).map_err(text)?;
    let (x, y) = (backward.inputs()[0], backward.outputs()[0]);
    let ty = backward.type_of(y).clone();
    let seed = backward.add_input("seed", ty);
    let gradients = gradient(&mut backward, y, seed, &[x]).map_err(text)?;
    if backward.shape(gradients[0]) != backward.shape(x) {
        return Err(format!("gradient of type {:?}", backward.type_of(gradients[0])));
    }
    backward.set_outputs(&gradients);
    for n in [2, 3] {
        let dims = forward.shape(forward.inputs()[0]).unwrap_or_default();
        let shape: Vec<usize> = dims.iter().map(|dim| dim.known().unwrap_or(n)).collect();
        let x = draw.tensor(&shape);
        let zero = Tensor::f64(&shape, vec![0.0; x.len()]);
        let value = evaluate(&forward, std::slice::from_ref(&x)).map_err(text)?.remove(0);
        let at_zero = evaluate(&forward, &[zero]).map_err(text)?.remove(0);
        let dy = draw.tensor(value.shape());
        let dx = evaluate(&backward, &[x.clone(), dy.clone()]).map_err(text)?.remove(0);
        let change: Vec<f64> =
            value.to_f64s().iter().zip(at_zero.to_f64s()).map(|(at_x, at_zero)| at_x - at_zero).collect();
        let (left, right) = (dot(&dy.to_f64s(), &change), dot(&dx.to_f64s(), &x.to_f64s()));
        // Constant matrices of float32 are the only rounding above 1e-16.
        if (left - right).abs() > 1e-6 * (1.0 + left.abs()) {
            return Err(format!("batch {n}: {left} and {right} differ"));
        }
    }
    Ok(())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn slices() {
    check(1, |draw| {
        let lengths = draw.lengths();
        let axes: Vec<i64> = (0..=lengths.len() as i64).filter(|_| draw.int(0, 1) == 1).collect();
        let mut operands = [vec![], vec![], vec![]];
        for &axis in &axes {
            // What is cut off the batch has to be known from its ends.
            let (start, end, step) = match axis {
                0 => (draw.int(-1, 1), i64::MAX, 1),
                _ => (draw.int(-9, 9), draw.int(-9, 9), [1, 1, 2, -1, -2, 3][draw.int(0, 5) as usize]),
            };
            for (list, number) in operands.iter_mut().zip([start, end, step]) {
                list.push(number);
            }
        }
        let [starts, ends, steps] = &operands;
        let constants = [ints("s", starts), ints("e", ends), ints("a", &axes), ints("t", steps)].join(", ");
        graph_text(&lengths, lengths.len() + 1, &constants, "y = Slice(x, s, e, a, t)")
    });
}

#[test]
fn pads() {
    check(2, |draw| {
        let lengths: Vec<i64> = draw.lengths().into_iter().map(|n| n + 2).collect();
        let mode = draw.one_of(&["constant", "reflect", "edge", "wrap"]);
        let rank = lengths.len() + 1;
        let low = -1;
        let side = |draw: &mut Draw| [vec![0], draw.ints(rank - 1, low, 4)].concat();
        let pads = [side(draw), side(draw)].concat();
        let constants = format!("{}, float v = {{0.75}}", ints("p", &pads));
        graph_text(&lengths, rank, &constants, &format!("y = Pad<mode = \"{mode}\">(x, p, v)"))
    });
}

#[test]
fn gathers() {
    check(3, |draw| {
        let lengths = draw.lengths();
        let axis = draw.int(1, lengths.len() as i64);
        let n = lengths[axis as usize - 1];
        let index_rank = draw.int(0, 2) as usize;
        let index_shape = draw.ints(index_rank, 1, 7);
        let indices = draw.ints(index_shape.iter().product::<i64>() as usize, -n, n - 1);
        let brackets = if index_rank == 0 { String::new() } else { format!("[{}]", list(&index_shape)) };
        let constants = format!("int64{brackets} i = {{{}}}", list(&indices));
        graph_text(
            &lengths,
            lengths.len() + index_rank,
            &constants,
            &format!("y = Gather<axis = {axis}>(x, i)"),
        )
    });
}

#[test]
fn gathers_of_many() {
    // Beyond these lengths a sum of picks gives way to a one-hot matrix.
    check(4, |draw| {
        let (n, count) = (draw.int(20, 40), draw.int(1, 60));
        let indices = draw.ints(count as usize, 0, 2);
        graph_text(&[n, 2], 3, &ints("i", &indices), "y = Gather<axis = 1>(x, i)")
    });
}

#[test]
fn reshapes_and_orders() {
    check(5, |draw| {
        let lengths = draw.lengths();
        let rank = lengths.len() + 1;
        match draw.int(0, 3) {
            0 => {
                let axis = draw.int(-(rank as i64), rank as i64);
                graph_text(&lengths, 2, "", &format!("y = Flatten<axis = {axis}>(x)"))
            }
            1 => {
                let mut order: Vec<i64> = (0..rank as i64).collect();
                order.rotate_left(draw.int(0, rank as i64 - 1) as usize);
                order.swap(0, draw.int(0, rank as i64 - 1) as usize);
                graph_text(&lengths, rank, "", &format!("y = Transpose<perm = [{}]>(x)", list(&order)))
            }
            2 => {
                let repeats = draw.ints(rank, 1, 3);
                graph_text(&lengths, rank, &ints("r", &repeats), "y = Tile(x, r)")
            }
            _ => {
                let (b, mode) = (draw.int(1, 3), draw.one_of(&["DCR", "CRD"]));
                let (c, h, w) = (b * b * draw.int(1, 2), draw.int(1, 3), draw.int(1, 3));
                let body = match draw.int(0, 1) {
                    0 => format!("y = DepthToSpace<blocksize = {b}, mode = \"{mode}\">(x)"),
                    _ => format!("y = SpaceToDepth<blocksize = {b}>(x)"),
                };
                graph_text(&[c, b * h, b * w], 4, "", &body)
            }
        }
    });
}

#[test]
fn splits_and_joins() {
    check(6, |draw| {
        let lengths = draw.lengths();
        let axis = draw.int(1, lengths.len() as i64);
        let n = lengths[axis as usize - 1];
        let first = draw.int(0, n);
        let constants = ints("parts", &[first, n - first]);
        // One of the parts may have no gradient, or two.
        let join = draw.one_of(&["a, b", "b, a", "b", "a", "b, b, a", "a, x, b"]);
        let body = format!("a, b = Split<axis = {axis}>(x, parts) y = Concat<axis = {axis}>({join})");
        graph_text(&lengths, lengths.len() + 1, &constants, &body)
    });
}

#[test]
fn resizes() {
    check(7, |draw| {
        let lengths = draw.ints(2, 1, 7);
        let sizes = draw.ints(2, 1, 12);
        let mode = draw.one_of(&["nearest", "linear", "cubic"]);
        let kind = draw.one_of(&["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]);
        let antialias = if mode == "nearest" { 0 } else { draw.int(0, 1) };
        let body = format!(
            "y = Resize<mode = \"{mode}\", coordinate_transformation_mode = \"{kind}\", axes = [1, 2],
             antialias = {antialias}>(x, \"\", \"\", t)"
        );
        graph_text(&lengths, 3, &ints("t", &sizes), &body)
    });
}

#[test]
fn resizes_by_whole_factors() {
    check(8, |draw| {
        let lengths = draw.ints(3, 1, 4);
        let (rows, columns) = (draw.int(1, 4), draw.int(1, 4));
        let kind = draw.one_of(&["half_pixel", "asymmetric"]);
        let constants = format!("float[4] t = {{1, 1, {rows}, {columns}}}");
        let body = format!("y = Resize<coordinate_transformation_mode = \"{kind}\">(x, \"\", t)");
        graph_text(&lengths, 4, &constants, &body)
    });
}
