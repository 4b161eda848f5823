//! The same elements under another shape or order: the gradient takes them back.

use super::{PlainRule, only};
use crate::axis_map::reshape_to;
use crate::backward::{Signals, Step};
use crate::types::Dim;

pub(super) fn rule(op: &str) -> Option<PlainRule> {
    Some(match op {
        "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => |s| {
            let (dy, x) = (s.gradient()?, s.input(0)?);
            only(s.reshape_like(dy, x))
        },
        "Transpose" => transpose,
        "DepthToSpace" => depth_to_space,
        // Only the lengths of the input matter.
        "EyeLike" => |_| Ok(Vec::new()),
        _ => return None,
    })
}

fn transpose(s: &mut Step<'_>) -> Signals {
    let dy = s.gradient()?;
    let rank = s.known_rank(dy)?;
    let order: Vec<usize> = match s.at().ints("perm") {
        Some(perm) => {
            perm.iter().map(|&axis| crate::ops::resolve_axis(axis, rank)).collect::<Result<_, _>>()?
        }
        None => (0..rank).rev().collect(),
    };
    let mut back = vec![0; rank];
    for (to, &from) in order.iter().enumerate() {
        back[from] = to as i64;
    }
    only(s.transpose(dy, &back))
}

/// Each pixel of a block goes back to its channel: the blocks' axes apart, then in front.
fn depth_to_space(s: &mut Step<'_>) -> Signals {
    let (dy, x) = (s.gradient()?, s.input(0)?);
    let b = s.at().int("blocksize").and_then(|b| usize::try_from(b).ok()).ok_or("no blocksize")?;
    let shape = s.shape(x).ok_or("the shape of the input is unknown")?.to_vec();
    let [n, c, h, w] = shape.as_slice() else { return Err("needs 4 axes".to_owned()) };
    let block = Dim::Known(b);
    let depth = c.divided_by(&block.times(&block));
    let apart = reshape_to(s, dy, &[n.clone(), depth, h.clone(), block.clone(), w.clone(), block])?;
    let in_front = match s.at().string("mode") {
        Some("CRD") => s.transpose(apart, &[0, 1, 3, 5, 2, 4]),
        _ => s.transpose(apart, &[0, 3, 5, 1, 2, 4]),
    };
    only(s.reshape_like(in_front, x))
}
