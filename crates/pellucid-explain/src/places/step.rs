//! What axes count after one node.

use pellucid_graph::{Graph, Node, Wire};

use super::{Role, Roles, Tokens, reshaped};

/// Ops whose outputs lie otherwise than their inputs, and that are not followed.
const LOST: &[&str] = &[
    "Einsum",
    "GatherElements",
    "GatherND",
    "GridSample",
    "GRU",
    "Loop",
    "LSTM",
    "ReverseSequence",
    "RNN",
    "Scan",
    "ScatterElements",
    "ScatterND",
    "TopK",
];

/// Ops that keep sides of the image while changing their lengths.
const RESIZING: &[&str] =
    &["AveragePool", "DepthToSpace", "LpPool", "MaxPool", "Pad", "Resize", "SpaceToDepth"];

/// The roles of `output`'s axes; `None` where nothing is known of them.
pub(super) fn after(graph: &Graph, node: &Node, output: Wire, roles: &Roles) -> Option<Vec<Role>> {
    let op = node.op.as_str();
    let input = node.inputs.first().copied().flatten()?;
    match op {
        "Conv" | "ConvTranspose" => {
            let n_sides = graph.rank(output)?.checked_sub(2)?;
            Some([Role::Batch, Role::Channel].into_iter().chain((0..n_sides).map(Role::Side)).collect())
        }
        _ if LOST.contains(&op) => None,
        "Transpose" => {
            let own = roles.get(&input)?;
            let reversed: Vec<i64> = (0..own.len() as i64).rev().collect();
            let order = node.ints("perm").unwrap_or(&reversed);
            order.iter().map(|&axis| own.get(usize::try_from(axis).ok()?).cloned()).collect()
        }
        "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => {
            reshaped::after(graph.shape(input)?, roles.get(&input)?, graph.shape(output)?)
        }
        "Concat" => concatenated(graph, node, roles),
        "MatMul" => product(graph, node, roles),
        "Gemm" => Some(vec![roles.get(&input)?.first()?.clone(), Role::Channel]),
        "Slice" => sliced(graph, node, output, roles),
        "Gather" => gathered(graph, node, roles),
        _ => alike(graph, node, output, roles),
    }
}

/// Element by element, or a part of the axes summed up: the roles of the inputs, where they agree.
fn alike(graph: &Graph, node: &Node, output: Wire, roles: &Roles) -> Option<Vec<Role>> {
    let shape = graph.shape(output)?;
    let resizes = RESIZING.contains(&node.op.as_str());
    let mut result: Option<Vec<Role>> = None;
    for input in node.inputs.iter().copied().flatten() {
        let (Some(own), Some(from)) = (roles.get(&input), graph.shape(input)) else { continue };
        if own.len() != shape.len() {
            continue;
        }
        let kept = own.iter().zip(from).zip(shape).map(|((role, from), to)| match role {
            Role::Channel => Role::Channel,
            Role::Side(_) if resizes => role.clone(),
            _ if from == to => role.clone(),
            _ => Role::Other,
        });
        let kept: Vec<Role> = kept.collect();
        result = Some(match result {
            None => kept,
            Some(before) => before.into_iter().zip(kept).map(|(a, b)| agreed(a, b)).collect(),
        });
    }
    result
}

fn agreed(a: Role, b: Role) -> Role {
    match (a, b) {
        (Role::Other, role) | (role, Role::Other) => role,
        (a, b) if a == b => a,
        _ => Role::Other,
    }
}

/// Channels beside channels, and tokens beside the places' ones.
fn concatenated(graph: &Graph, node: &Node, roles: &Roles) -> Option<Vec<Role>> {
    let inputs: Vec<Wire> = node.inputs.iter().copied().flatten().collect();
    let main = inputs.iter().position(|wire| {
        roles
            .get(wire)
            .is_some_and(|own| own.iter().any(|role| matches!(role, Role::Side(_) | Role::Tokens(_))))
    })?;
    let mut result = roles.get(&inputs[main])?.clone();
    let axis = axis_of(node.int("axis")?, result.len())?;
    let lengths = |wires: &[Wire]| {
        let of = |wire: &Wire| graph.shape(*wire)?.get(axis)?.known();
        wires.iter().map(of).sum::<Option<usize>>()
    };
    result[axis] = match &result[axis] {
        Role::Tokens(tokens) => {
            let others = inputs.iter().enumerate().filter(|(i, _)| *i != main);
            let one_list = others.filter_map(|(_, wire)| roles.get(wire)).all(|own| !is_tokens(&own[axis]));
            match (lengths(&inputs[..main]), lengths(&inputs[main + 1..])) {
                (Some(before), Some(after)) if one_list => Role::Tokens(Tokens {
                    grid: tokens.grid.clone(),
                    n_before: tokens.n_before + before,
                    n_after: tokens.n_after + after,
                }),
                _ => Role::Other,
            }
        }
        // Rolled or mixed: the elements lie elsewhere than their axis says.
        Role::Side(_) => Role::Other,
        role => role.clone(),
    };
    Some(result)
}

fn is_tokens(role: &Role) -> bool {
    matches!(role, Role::Tokens(_))
}

/// Rows of the left factor, columns of the right one; a constant factor's rows and columns are features.
fn product(graph: &Graph, node: &Node, roles: &Roles) -> Option<Vec<Role>> {
    let [left, right] = [0, 1].map(|i| node.inputs.get(i).copied().flatten());
    let (left, right) = (left?, right?);
    let last = |own: &Vec<Role>| own.last().cloned();
    let before_last = |own: &Vec<Role>| own.len().checked_sub(2).map(|i| own[i].clone());
    match (roles.get(&left), roles.get(&right)) {
        (Some(own), None) => {
            let mut result = own.clone();
            // Sums over places are features of no place.
            *result.last_mut()? = match last(own)? {
                Role::Channel if graph.rank(right) == Some(2) => Role::Channel,
                _ => Role::Other,
            };
            Some(result)
        }
        (None, Some(own)) => {
            let mut result = own.clone();
            let rows = own.len().checked_sub(2)?;
            result[rows] = match before_last(own)? {
                Role::Channel => Role::Channel,
                _ => Role::Other,
            };
            Some(result)
        }
        (Some(a), Some(b)) if a.len() == b.len() => {
            let mut result = a.clone();
            *result.last_mut()? = last(b)?;
            Some(result)
        }
        _ => None,
    }
}

/// A part of channels or of a side is one of its kind; a part of the tokens only where it is all places.
fn sliced(graph: &Graph, node: &Node, output: Wire, roles: &Roles) -> Option<Vec<Role>> {
    let input = node.inputs.first().copied().flatten()?;
    let (own, from, to) = (roles.get(&input)?, graph.shape(input)?, graph.shape(output)?);
    let part = |(axis, role): (usize, &Role)| match role {
        _ if from[axis] == to[axis] => role.clone(),
        Role::Channel | Role::Side(_) => role.clone(),
        Role::Tokens(tokens) if to[axis].is(tokens.n_places()) && starts_at(graph, node, axis, tokens) => {
            Role::Tokens(Tokens { grid: tokens.grid.clone(), n_before: 0, n_after: 0 })
        }
        _ => Role::Other,
    };
    Some(own.iter().enumerate().map(part).collect())
}

/// Whether a slice along `axis` begins at the first place.
fn starts_at(graph: &Graph, node: &Node, axis: usize, tokens: &Tokens) -> bool {
    let numbers = |i: usize| {
        let wire = node.inputs.get(i).copied().flatten()?;
        graph.constant(wire).map(|tensor| tensor.to_i64s())
    };
    let Some(starts) = numbers(1) else { return false };
    let axes = numbers(3).unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = numbers(4).unwrap_or_else(|| vec![1; starts.len()]);
    let rank = node.inputs.first().copied().flatten().and_then(|wire| graph.rank(wire)).unwrap_or(0);
    let n_tokens = (tokens.n_before + tokens.n_places() + tokens.n_after) as i64;
    let along = axes.iter().position(|&listed| axis_of(listed, rank) == Some(axis));
    along.is_some_and(|i| {
        let start = if starts[i] < 0 { starts[i] + n_tokens } else { starts[i] };
        start == tokens.n_before as i64 && steps[i] == 1
    })
}

/// One element of an axis, which is gone; several of channels.
fn gathered(graph: &Graph, node: &Node, roles: &Roles) -> Option<Vec<Role>> {
    let [input, indices] = [0, 1].map(|i| node.inputs.get(i).copied().flatten());
    let (mut result, rank) = (roles.get(&input?)?.clone(), graph.rank(indices?)?);
    let axis = axis_of(node.int("axis").unwrap_or(0), result.len())?;
    match rank {
        0 => drop(result.remove(axis)),
        1 if result[axis] == Role::Channel => {}
        1 => result[axis] = Role::Other,
        _ => return None,
    }
    Some(result)
}

fn axis_of(axis: i64, rank: usize) -> Option<usize> {
    let axis = if axis < 0 { axis + rank as i64 } else { axis };
    usize::try_from(axis).ok().filter(|axis| *axis < rank)
}
