//! Rotary embeddings: pairs of elements of each head turned by an angle that grows with the position.

use super::{Lowering, input, length, optional};
use crate::axis_map::pick;
use crate::graph::{Graph, Node, Wire};
use crate::tensor::Tensor;

pub(super) fn lowering(op: &str) -> Option<Lowering> {
    (op == "RotaryEmbedding").then_some(rotary)
}

/// ONNX's order of the inputs: `x, cos, sin, positions`. Without positions the caches are `[batch, positions, pairs]`.
fn rotary(g: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
    let caches = [input(node, 1)?, input(node, 2)?];
    let caches = match optional(node, 3) {
        Some(positions) => caches.map(|cache| g.node("Gather", &[cache, positions], &[])),
        None => caches,
    };
    let heads = node.int("num_heads").filter(|n| *n > 0);
    turned(g, node, heads, caches)
}

/// The order of `com.microsoft`: `x, positions, cos, sin`. One number as positions is the place of the first.
pub(super) fn contributed(g: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
    if node.int("is_packed_batching").unwrap_or(0) != 0
        || node.float("scale").is_some_and(|scale| (scale - 1.0).abs() > 0.0)
    {
        return Err("is_packed_batching and scale are not supported".to_owned());
    }
    let (x, mut positions) = (input(node, 0)?, input(node, 1)?);
    let caches = [input(node, 2)?, input(node, 3)?];
    let rank = g.rank(x).ok_or("the rank of its input is unknown")?;
    if g.rank(positions) == Some(1) {
        let n = length(g, x, rank - 2)?;
        let steps = g.add_constant("steps", Tensor::i64(&[1, n], (0..n as i64).collect()));
        positions = g.add(positions, steps);
    }
    let heads = match node.int("num_heads").filter(|n| *n > 0) {
        None if rank == 3 => Some(length(g, x, 2)? as i64 / (2 * length(g, caches[0], 1)?.max(1)) as i64),
        heads => heads,
    };
    let caches = caches.map(|cache| g.node("Gather", &[cache, positions], &[]));
    turned(g, node, heads, caches)
}

/// `x` is `[batch, heads, positions, width]` or `[batch, positions, heads · width]`.
fn turned(g: &mut Graph, node: &Node, heads: Option<i64>, caches: [Wire; 2]) -> Result<Vec<Wire>, String> {
    let x = input(node, 0)?;
    let rotated = node.int("rotary_embedding_dim").and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
    let interleaved = node.int("interleaved").unwrap_or(0) != 0;
    match g.rank(x) {
        Some(4) => {
            let caches = caches.map(|cache| g.unsqueeze(cache, &[1]));
            Ok(vec![turned_heads(g, x, caches, rotated, interleaved)?])
        }
        Some(3) => {
            let heads = heads.ok_or("num_heads is missing")?;
            let apart = g.reshape(x, &[0, 0, heads, length(g, x, 2)? as i64 / heads]);
            let caches = caches.map(|cache| g.unsqueeze(cache, &[2]));
            let turned = turned_heads(g, apart, caches, rotated, interleaved)?;
            Ok(vec![g.reshape(turned, &[0, 0, length(g, x, 2)? as i64])])
        }
        rank => Err(format!("expected 3 or 4 axes, got {rank:?}")),
    }
}

/// The first `rotated` elements of each head in pairs, `(cos a − sin b, sin a + cos b)`; the rest stays. Pairs lie next to
/// each other where `interleaved`, else half of `rotated` apart.
pub(super) fn turned_heads(
    g: &mut Graph,
    x: Wire,
    caches: [Wire; 2],
    rotated: Option<usize>,
    interleaved: bool,
) -> Result<Wire, String> {
    let width = length(g, x, 3)?;
    let rotated = rotated.unwrap_or(width);
    if rotated > width || !rotated.is_multiple_of(2) {
        return Err(format!("{rotated} elements of heads of {width} cannot be turned in pairs"));
    }
    let half = rotated / 2;
    let [cos, sin] = caches.map(|cache| g.slice(cache, -1, 0, half as i64));
    let member = |g: &mut Graph, which: usize| match interleaved {
        true => pick(g, x, 3, &(0..half).map(|i| 2 * i + which).collect::<Vec<_>>()),
        false => g.slice(x, 3, (which * half) as i64, ((which + 1) * half) as i64),
    };
    let (a, b) = (member(g, 0), member(g, 1));
    let [cos_a, sin_b, sin_a, cos_b] = [(cos, a), (sin, b), (sin, a), (cos, b)].map(|(c, x)| g.mul(c, x));
    let (first, second) = (g.sub(cos_a, sin_b), g.add(sin_a, cos_b));
    let mut parts = vec![first, second];
    if rotated < width {
        parts.push(g.slice(x, 3, rotated as i64, width as i64));
    }
    let joined = g.concat(&parts, 3);
    if !interleaved {
        return Ok(joined);
    }
    let back: Vec<usize> = (0..rotated).map(|i| i / 2 + i % 2 * half).chain(rotated..width).collect();
    Ok(pick(g, joined, 3, &back))
}
