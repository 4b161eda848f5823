//! Einsum as transposes, matrix products and sums, operand by operand from the left.

use super::{Lowering, length};
use crate::axis_map::reshape_to;
use crate::graph::{Graph, Node, Wire};
use crate::tensor::{ElementType, Tensor};
use crate::types::Dim;

pub(super) fn lowering(op: &str) -> Option<Lowering> {
    (op == "Einsum").then_some(einsum)
}

/// The name of an axis: the code of its letter, or below [`LETTERS`] its place among the axes of an ellipsis, counted
/// from the right because those broadcast.
type Label = u32;
const LETTERS: Label = 'A' as Label;

fn einsum(g: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
    let equation = node.string("equation").ok_or("attribute `equation` is missing")?;
    let wires: Vec<Wire> = node.inputs.iter().copied().collect::<Option<_>>().ok_or("an input is missing")?;
    let rank = |wire: &Wire| g.rank(*wire).ok_or("the rank of an input is unknown");
    let ranks: Vec<usize> = wires.iter().map(rank).collect::<Result<_, _>>()?;
    let Equation { terms, result } = Equation::parse(equation, &ranks)?;
    let mut operands = Vec::new();
    for (wire, labels) in wires.into_iter().zip(terms) {
        operands.push(Labeled { wire, labels }.diagonals(g)?);
    }
    operands.reverse();
    let mut product = operands.pop().ok_or("no inputs")?;
    while let Some(next) = operands.pop() {
        // Axes of an ellipsis may broadcast, so that they are summed only when all operands are in.
        let later = |label: Label| {
            label < LETTERS
                || result.contains(&label)
                || operands.iter().any(|other| other.labels.contains(&label))
        };
        product = product.times(g, next, later)?;
    }
    let product = product.summed(g, |label| result.contains(&label));
    if let Some(missing) = result.iter().find(|label| !product.labels.contains(label)) {
        return Err(format!("`{equation}`: the result has the axis `{}`, no input does", name_of(*missing)));
    }
    Ok(vec![product.in_order(g, &result)])
}

fn name_of(label: Label) -> char {
    if label < LETTERS { '…' } else { char::from_u32(label).unwrap_or('?') }
}

/// The labels of each input's axes and of the result's.
struct Equation {
    terms: Vec<Vec<Label>>,
    result: Vec<Label>,
}

impl Equation {
    fn parse(equation: &str, ranks: &[usize]) -> Result<Self, String> {
        let text: String = equation.chars().filter(|c| !c.is_whitespace()).collect();
        let (left, right) = text.split_once("->").map_or((text.as_str(), None), |(l, r)| (l, Some(r)));
        let written: Vec<&str> = left.split(',').collect();
        if written.len() != ranks.len() {
            return Err(format!("`{equation}` has {} terms for {} inputs", written.len(), ranks.len()));
        }
        let mut terms = Vec::new();
        for (term, rank) in written.into_iter().zip(ranks) {
            let n_letters = term.chars().filter(char::is_ascii_alphabetic).count();
            let labels = labels(term, rank.saturating_sub(n_letters))?;
            if labels.len() != *rank {
                return Err(format!("`{term}` does not name {rank} axes"));
            }
            terms.push(labels);
        }
        let n_ellipsis =
            terms.iter().flatten().filter(|label| **label < LETTERS).max().map_or(0, |last| last + 1);
        let result = match right {
            Some(right) => labels(right, n_ellipsis as usize)?,
            None => implicit_result(&terms, n_ellipsis),
        };
        Ok(Self { terms, result })
    }
}

/// The labels of a term whose ellipsis, if it has one, stands for `n_ellipsis` axes.
fn labels(term: &str, n_ellipsis: usize) -> Result<Vec<Label>, String> {
    let letters = |text: &str| match text.chars().all(|c| c.is_ascii_alphabetic()) {
        true => Ok(text.chars().map(Label::from).collect::<Vec<_>>()),
        false => Err(format!("`{term}` is no term of letters")),
    };
    match term.split("...").collect::<Vec<_>>().as_slice() {
        [all] => letters(all),
        [before, behind] => {
            Ok([letters(before)?, (0..n_ellipsis as Label).rev().collect(), letters(behind)?].concat())
        }
        _ => Err(format!("`{term}` has more than one ellipsis")),
    }
}

/// The ellipsis, then the letters that appear once, in the order of the alphabet.
fn implicit_result(terms: &[Vec<Label>], n_ellipsis: Label) -> Vec<Label> {
    let mut letters: Vec<Label> = terms.iter().flatten().copied().filter(|label| *label >= LETTERS).collect();
    letters.sort_unstable();
    let once = |label: &Label| letters.iter().filter(|other| *other == label).count() == 1;
    (0..n_ellipsis).rev().chain(letters.iter().copied().filter(once)).collect()
}

/// An operand on its way, each axis with its label.
struct Labeled {
    wire: Wire,
    labels: Vec<Label>,
}

impl Labeled {
    fn has(&self, label: Label) -> bool {
        self.labels.contains(&label)
    }

    /// Of two axes with one label their diagonal: all else times 0, then the sum over the second.
    fn diagonals(mut self, g: &mut Graph) -> Result<Self, String> {
        let twice = |labels: &[Label]| {
            (0..labels.len())
                .find_map(|j| Some((labels[..j].iter().position(|label| *label == labels[j])?, j)))
        };
        while let Some((i, j)) = twice(&self.labels) {
            let n = length(g, self.wire, i)?;
            let mut shape = vec![1; self.labels.len()];
            (shape[i], shape[j]) = (n, n);
            let eye = (0..n * n).map(|at| f64::from(u8::from(at / n == at % n))).collect();
            let element = match g.element(self.wire) {
                ElementType::Unknown => ElementType::F32,
                element => element,
            };
            let eye = g.add_constant("eye", Tensor::f64(&shape, eye).cast(element));
            let diagonal = g.mul(self.wire, eye);
            self.wire = g.reduce_sum(diagonal, &[j as i64], false);
            self.labels.remove(j);
        }
        Ok(self)
    }

    /// The sum over the axes that nobody needs.
    fn summed(mut self, g: &mut Graph, needed: impl Fn(Label) -> bool) -> Self {
        let axes: Vec<i64> = (0..self.labels.len())
            .filter(|axis| !needed(self.labels[*axis]))
            .map(|axis| axis as i64)
            .collect();
        self.wire = g.reduce_sum(self.wire, &axes, false);
        self.labels.retain(|label| needed(*label));
        self
    }

    /// The axes in the order of `order`, which names all of them.
    fn in_order(&self, g: &mut Graph, order: &[Label]) -> Wire {
        let places: Vec<i64> = order
            .iter()
            .filter_map(|label| self.labels.iter().position(|own| own == label))
            .map(|place| place as i64)
            .collect();
        let sorted = places.is_sorted();
        if sorted { self.wire } else { g.transpose(self.wire, &places) }
    }

    /// The product with another operand, summed over the labels that both have and nobody needs later.
    fn times(self, g: &mut Graph, other: Self, later: impl Fn(Label) -> bool) -> Result<Self, String> {
        let a = self.summed(g, |label| later(label) || other.has(label));
        let b = other.summed(g, |label| later(label) || a.has(label));
        let (both, only_a): (Vec<Label>, Vec<Label>) = a.labels.iter().partition(|label| b.has(**label));
        let (batch, contracted): (Vec<Label>, Vec<Label>) = both.into_iter().partition(|label| later(*label));
        let only_b: Vec<Label> = b.labels.iter().copied().filter(|label| !a.has(*label)).collect();
        let labels = [&batch[..], &only_a, &only_b].concat();
        let wire = match contracted.is_empty() {
            true => outer_product(g, [&a, &b], &batch, [&only_a, &only_b]),
            false => matrix_product(g, [&a, &b], &batch, [&only_a, &only_b], &contracted)?,
        };
        Ok(Self { wire, labels })
    }
}

/// `[batch…, only a…, only b…]` by broadcasting.
fn outer_product(
    g: &mut Graph,
    [a, b]: [&Labeled; 2],
    batch: &[Label],
    [only_a, only_b]: [&[Label]; 2],
) -> Wire {
    let left = a.in_order(g, &[batch, only_a].concat());
    let right = b.in_order(g, &[batch, only_b].concat());
    let n = (batch.len() + only_a.len()) as i64;
    let behind: Vec<i64> = (n..n + only_b.len() as i64).collect();
    let between: Vec<i64> = (batch.len() as i64..n).collect();
    let left = if behind.is_empty() { left } else { g.unsqueeze(left, &behind) };
    let right = if between.is_empty() { right } else { g.unsqueeze(right, &between) };
    g.mul(left, right)
}

/// `[batch…, only a…, only b…]` as one product of matrices `[only a, contracted] · [contracted, only b]`.
fn matrix_product(
    g: &mut Graph,
    [a, b]: [&Labeled; 2],
    batch: &[Label],
    [only_a, only_b]: [&[Label]; 2],
    contracted: &[Label],
) -> Result<Wire, String> {
    let left = a.in_order(g, &[batch, only_a, contracted].concat());
    let right = b.in_order(g, &[batch, contracted, only_b].concat());
    let (n, rows, columns, inner) = (batch.len(), only_a.len(), only_b.len(), contracted.len());
    let shape =
        |g: &Graph, wire: Wire| g.shape(wire).map(<[Dim]>::to_vec).ok_or("the rank of an input is unknown");
    let (left_shape, right_shape) = (shape(g, left)?, shape(g, right)?);
    // Without batch axes the rows need not become one axis: a matrix on the right multiplies all of them.
    let kept_rows = if n == 0 && rows > 0 { rows } else { 1 };
    let left = merged(g, left, &[(n, 1), (rows, kept_rows), (inner, 1)])?;
    let right = merged(g, right, &[(n, 1), (inner, 1), (columns, 1)])?;
    let product = g.matmul(left, right);
    if kept_rows == rows && columns == 1 {
        return Ok(product);
    }
    let batch_lengths = g.shape(product).ok_or("the shape of the product is unknown")?[..n].to_vec();
    let lengths = [&batch_lengths[..], &left_shape[n..n + rows], &right_shape[n + inner..]].concat();
    reshape_to(g, product, &lengths)
}

/// `x` with the axes of each group after the first (its axes before, and behind) made one, or left apart.
fn merged(g: &mut Graph, x: Wire, groups: &[(usize, usize); 3]) -> Result<Wire, String> {
    let own = g.shape(x).ok_or("the rank of an input is unknown")?.to_vec();
    let mut lengths = own[..groups[0].0].to_vec();
    let mut start = groups[0].0;
    for (count, wanted) in &groups[1..] {
        let group = &own[start..start + count];
        match count == wanted {
            true => lengths.extend_from_slice(group),
            false => lengths.push(group.iter().fold(Dim::Known(1), |product, length| product.times(length))),
        }
        start += count;
    }
    if lengths == own { Ok(x) } else { reshape_to(g, x, &lengths) }
}
