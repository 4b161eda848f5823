//! Attention in one op, written out as `softmax(q kᵀ · scale + bias) v`, which every table and `recognize` know.

use super::{Lowering, input, length, optional, places, refuse_inputs, rotary};
use crate::axis_map::pick;
use crate::graph::{Attribute, Graph, Node, Wire};
use crate::ops::activation::setting;
use crate::tensor::ElementType;

/// What scores get where a position is hidden: `e` to it is 0 beside any score, and unlike −∞ it has differences.
const HIDDEN: f64 = -1e30;

pub(super) fn lowering(op: &str) -> Option<Lowering> {
    (op == "Attention").then_some(onnx_attention)
}

/// Queries, keys and values, `[batch, heads, positions, width]`.
struct Heads {
    q: Wire,
    k: Wire,
    v: Wire,
}

/// The steps of attention, for those who ask for one.
struct Steps {
    scores: Wire,
    biased: Wire,
    weights: Wire,
    /// `[batch, heads, positions, width]`
    y: Wire,
}

impl Heads {
    /// Scores are bounded by `softcap` where it is not 0; then a bias is added to them, or where it is boolean says what is
    /// seen.
    fn attend(&self, g: &mut Graph, scale: f64, biases: &[Wire], softcap: f64) -> Result<Steps, String> {
        let keys = g.transpose(self.k, &[0, 1, 3, 2]);
        let product = g.matmul(self.q, keys);
        let scores = g.mul_scalar(product, scale);
        let mut biased = scores;
        if softcap > 0.0 {
            let small = g.mul_scalar(biased, 1.0 / softcap);
            let bounded = g.tanh(small);
            biased = g.mul_scalar(bounded, softcap);
        }
        for bias in biases {
            biased = match g.element(*bias) {
                ElementType::Bool => {
                    let hidden = g.scalar(HIDDEN, biased);
                    g.select(*bias, biased, hidden)
                }
                _ => g.add(biased, *bias),
            };
        }
        let weights = g.node("Softmax", &[biased], &[("axis", Attribute::Int(-1))]);
        let y = g.matmul(weights, self.v);
        Ok(Steps { scores, biased, weights, y })
    }

    /// `1/√width` unless stated.
    fn scale(&self, g: &Graph, node: &Node) -> Result<f64, String> {
        match node.float("scale").filter(|scale| *scale > 0.0) {
            Some(scale) => Ok(scale),
            None => Ok((length(g, self.q, 3)? as f64).sqrt().recip()),
        }
    }

    /// Which position sees which: itself and those before it.
    fn causal(&self, g: &mut Graph) -> Wire {
        let (seeing, seen) = (places(g, self.q, 2), places(g, self.k, 2));
        let (seeing, seen) = (g.unsqueeze(seeing, &[1]), g.unsqueeze(seen, &[0]));
        g.node("LessOrEqual", &[seen, seeing], &[])
    }
}

/// `[batch, positions, heads · width]` → `[batch, heads, positions, width]`
fn apart(g: &mut Graph, x: Wire, heads: i64) -> Result<Wire, String> {
    let all = length(g, x, 2)? as i64;
    if all % heads != 0 {
        return Err(format!("{all} elements do not make {heads} heads"));
    }
    let split = g.reshape(x, &[0, 0, heads, all / heads]);
    Ok(g.transpose(split, &[0, 2, 1, 3]))
}

/// The way back.
fn together(g: &mut Graph, x: Wire) -> Result<Wire, String> {
    let width = length(g, x, 1)? * length(g, x, 3)?;
    let positions_first = g.transpose(x, &[0, 2, 1, 3]);
    Ok(g.reshape(positions_first, &[0, 0, width as i64]))
}

fn heads_of(node: &Node, name: &str) -> Result<i64, String> {
    node.int(name).filter(|n| *n > 0).ok_or_else(|| format!("attribute `{name}` is missing or not positive"))
}

/// `Attention` of ONNX 23 to 25: `q, k, v, mask, past key, past value`.
fn onnx_attention(g: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
    refuse_inputs(node, &[(6, "nonpad_kv_seqlen")])?;
    if node.attributes.contains_key("left_window_size") || node.attributes.contains_key("right_window_size") {
        return Err("sliding windows are not supported".to_owned());
    }
    let [q, k, v] = [input(node, 0)?, input(node, 1)?, input(node, 2)?];
    let flat = g.rank(q) == Some(3);
    let mut heads = match flat {
        true => {
            let (n_q, n_kv) = (heads_of(node, "q_num_heads")?, heads_of(node, "kv_num_heads")?);
            Heads { q: apart(g, q, n_q)?, k: apart(g, k, n_kv)?, v: apart(g, v, n_kv)? }
        }
        false => Heads { q, k, v },
    };
    let past = optional(node, 4).zip(optional(node, 5));
    if let Some((past_k, past_v)) = past {
        heads.k = g.concat(&[past_k, heads.k], 2);
        heads.v = g.concat(&[past_v, heads.v], 2);
    }
    let (present_k, present_v) = (heads.k, heads.v);
    share_heads(g, &mut heads)?;
    let mut biases: Vec<Wire> = optional(node, 3).into_iter().collect();
    if node.int("is_causal").unwrap_or(0) != 0 {
        if past.is_some() {
            return Err("is_causal beside past keys is not supported".to_owned());
        }
        biases.push(heads.causal(g));
    }
    let softcap = setting(node, "softcap", 0.0);
    if softcap > 0.0 && !biases.is_empty() {
        return Err("softcap beside a mask is not supported: opsets differ on which comes first".to_owned());
    }
    let scale = heads.scale(g, node)?;
    let steps = heads.attend(g, scale, &biases, softcap)?;
    let scores = match node.int("qk_matmul_output_mode").unwrap_or(0) {
        0 => steps.scores,
        3 => steps.weights,
        _ => steps.biased,
    };
    let y = if flat { together(g, steps.y)? } else { steps.y };
    Ok(vec![y, present_k, present_v, scores])
}

/// Keys and values of fewer heads serve several heads of queries, neighbors sharing one.
fn share_heads(g: &mut Graph, heads: &mut Heads) -> Result<(), String> {
    let (n_q, n_kv) = (length(g, heads.q, 1)?, length(g, heads.k, 1)?);
    if n_q == n_kv {
        return Ok(());
    }
    if n_kv == 0 || n_q % n_kv != 0 {
        return Err(format!("{n_q} heads of queries cannot share {n_kv} heads of keys"));
    }
    let sources: Vec<usize> = (0..n_q).map(|head| head / (n_q / n_kv)).collect();
    heads.k = pick(g, heads.k, 1, &sources);
    heads.v = pick(g, heads.v, 1, &sources);
    Ok(())
}

/// `MultiHeadAttention` of `com.microsoft`: `q, k, v, bias, padding mask, attention bias, past key, past value`.
pub(super) fn multi_head(g: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
    refuse_inputs(node, &[(8, "past_sequence_length"), (9, "cache_indirection")])?;
    let n_heads = heads_of(node, "num_heads")?;
    let mut parts = [input(node, 0)?, input(node, 1)?, input(node, 2)?];
    if let Some(bias) = optional(node, 3) {
        let mut start = 0;
        for part in &mut parts {
            let end = start + length(g, *part, 2)? as i64;
            let own = g.slice(bias, 0, start, end);
            *part = g.add(*part, own);
            start = end;
        }
    }
    let mut split = |part: Wire| if g.rank(part) == Some(4) { Ok(part) } else { apart(g, part, n_heads) };
    let mut heads = Heads { q: split(parts[0])?, k: split(parts[1])?, v: split(parts[2])? };
    if let Some((past_k, past_v)) = optional(node, 6).zip(optional(node, 7)) {
        heads.k = g.concat(&[past_k, heads.k], 2);
        heads.v = g.concat(&[past_v, heads.v], 2);
    }
    finish_contributed(g, node, &heads, [optional(node, 4), optional(node, 5)])
}

/// `Attention` of `com.microsoft`: `x, weights of q k v side by side, bias, padding mask, past, attention bias`.
pub(super) fn with_packed_weights(g: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
    refuse_inputs(node, &[(4, "past"), (6, "past_sequence_length")])?;
    if node.int("do_rotary").unwrap_or(0) != 0 {
        return Err("do_rotary is not supported".to_owned());
    }
    let n_heads = heads_of(node, "num_heads")?;
    let product = g.matmul(input(node, 0)?, input(node, 1)?);
    let packed = optional(node, 2).map_or(product, |bias| g.add(product, bias));
    let lengths = match node.ints("qkv_hidden_sizes") {
        Some(lengths) => lengths.to_vec(),
        None => vec![length(g, packed, 2)? as i64 / 3; 3],
    };
    let lengths = g.ints(&lengths);
    let parts = g.node_outputs("Split", &[packed, lengths], &[("axis", Attribute::Int(2))], 3);
    let [q, k, v] = [0, 1, 2].map(|i| apart(g, parts[i], n_heads));
    let mut outputs =
        finish_contributed(g, node, &Heads { q: q?, k: k?, v: v? }, [optional(node, 3), optional(node, 5)])?;
    outputs.truncate(1);
    Ok(outputs)
}

/// `GroupQueryAttention` of `com.microsoft`, causal always: `q, k, v, past key, past value, lengths of keys less 1, longest
/// length, cos, sin, positions, attention bias`, or `q k v` side by side as the first. Where nothing is past, shorter
/// lengths only say which tokens are padding: they stand last, so that no other sees them.
pub(super) fn grouped_query(g: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
    refuse_inputs(node, &[(11, "head_sink"), (12, "k_scale"), (13, "v_scale")])?;
    for (i, name) in [(3, "past_key"), (4, "past_value")] {
        if optional(node, i).is_some_and(|past| length(g, past, 2) != Ok(0)) {
            return Err(format!("its input `{name}` is not supported where it may hold something"));
        }
    }
    for name in ["smooth_softmax", "qk_output"] {
        if node.int(name).is_some_and(|given| given > 0) {
            return Err(format!("{name} is not supported"));
        }
    }
    let mut heads = grouped_heads(g, node)?;
    let window = node.int("local_window_size").and_then(|n| usize::try_from(n).ok());
    if window.is_some_and(|window| length(g, heads.q, 2).is_ok_and(|n| n > window)) {
        return Err("local_window_size is not supported where there are more positions".to_owned());
    }
    if node.int("do_rotary").unwrap_or(0) != 0 {
        turn(g, node, &mut heads)?;
    }
    let present = [heads.k, heads.v];
    share_heads(g, &mut heads)?;
    let mut biases: Vec<Wire> = optional(node, 10).into_iter().collect();
    biases.push(heads.causal(g));
    let scale = heads.scale(g, node)?;
    let steps = heads.attend(g, scale, &biases, setting(node, "softcap", 0.0))?;
    Ok(vec![together(g, steps.y)?, present[0], present[1]])
}

/// Keys and values in fewer heads than queries.
fn grouped_heads(g: &mut Graph, node: &Node) -> Result<Heads, String> {
    let (n_q, n_kv) = (heads_of(node, "num_heads")?, heads_of(node, "kv_num_heads")?);
    let first = input(node, 0)?;
    let [q, k, v] = match optional(node, 1).zip(optional(node, 2)) {
        Some((k, v)) => [first, k, v],
        None => {
            let width = length(g, first, 2)? as i64 / (n_q + 2 * n_kv);
            let lengths = g.ints(&[n_q * width, n_kv * width, n_kv * width]);
            let parts = g.node_outputs("Split", &[first, lengths], &[("axis", Attribute::Int(2))], 3);
            [parts[0], parts[1], parts[2]]
        }
    };
    Ok(Heads { q: apart(g, q, n_q)?, k: apart(g, k, n_kv)?, v: apart(g, v, n_kv)? })
}

/// Queries and keys turned by their positions: 0, 1, 2 and so on, or from the row's first of the input on, the only one that
/// ONNX Runtime reads of it where nothing is past.
fn turn(g: &mut Graph, node: &Node, heads: &mut Heads) -> Result<(), String> {
    let caches = [input(node, 7)?, input(node, 8)?];
    let rotated = 2 * length(g, caches[0], 1)?;
    let interleaved = node.int("rotary_interleaved").unwrap_or(0) != 0;
    let steps = places(g, heads.q, 2);
    let (positions, new_axes): (_, &[i64]) = match optional(node, 9) {
        Some(positions) => {
            let first = g.slice(positions, 1, 0, 1);
            (g.add(first, steps), &[1])
        }
        None => (steps, &[0, 1]),
    };
    let caches = caches.map(|cache| {
        let own = g.node("Gather", &[cache, positions], &[]);
        g.unsqueeze(own, new_axes)
    });
    for x in [&mut heads.q, &mut heads.k] {
        *x = rotary::turned_heads(g, *x, caches, Some(rotated), interleaved)?;
    }
    Ok(())
}

/// Masks of `com.microsoft`: a padding mask `[batch, positions]` with 1 where there is a token, and a bias.
fn finish_contributed(
    g: &mut Graph,
    node: &Node,
    heads: &Heads,
    [padding, bias]: [Option<Wire>; 2],
) -> Result<Vec<Wire>, String> {
    let mut biases = Vec::new();
    if let Some(mask) = padding {
        if g.rank(mask) != Some(2) {
            return Err("a padding mask other than [batch, positions] is not supported".to_owned());
        }
        let kept = g.cast_like(mask, heads.q);
        let filter = setting(node, "mask_filter_value", -10_000.0);
        let scaled = g.mul_scalar(kept, -filter);
        let added = g.add_scalar(scaled, filter);
        biases.push(g.unsqueeze(added, &[1, 2]));
    }
    biases.extend(bias);
    if node.int("unidirectional").unwrap_or(0) != 0 {
        biases.push(heads.causal(g));
    }
    let scale = heads.scale(g, node)?;
    let steps = heads.attend(g, scale, &biases, 0.0)?;
    Ok(vec![together(g, steps.y)?, heads.k, heads.v])
}
