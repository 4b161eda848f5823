//! Where in an image the elements of a wire lie: what each axis counts, followed from the convolutions on.

mod reshaped;
mod step;

use std::collections::BTreeMap;

use pellucid_graph::{Dim, Graph, Wire};

/// What one axis of a wire counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Rows of the input.
    Batch,
    /// Features of one place.
    Channel,
    /// Places along the i-th side of the image.
    Side(usize),
    /// All places in row-major order, between tokens that are no places.
    Tokens(Tokens),
    /// Something else, or unknown.
    Other,
}

/// A list of places with what stands before and after them: class, distillation and register tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) grid: Vec<usize>,
    pub(crate) n_before: usize,
    pub(crate) n_after: usize,
}

impl Tokens {
    pub(crate) fn n_places(&self) -> usize {
        self.grid.iter().product()
    }

    /// Whether there are tokens that are no places.
    pub(crate) fn has_extra(&self) -> bool {
        self.n_before + self.n_after > 0
    }
}

/// What the axes of each wire count, as far as it is known.
pub(crate) type Roles = BTreeMap<Wire, Vec<Role>>;

/// Follows the axes through all nodes of a graph. A convolution says what its axes are; what mixes places with anything
/// else is not followed.
pub(crate) fn roles(graph: &Graph) -> Roles {
    let mut roles = Roles::new();
    for node in graph.nodes() {
        let outputs = node.outputs.iter().copied().flatten();
        for output in outputs {
            if let Some(found) = step::after(graph, node, output, &roles)
                && graph.rank(output) == Some(found.len())
            {
                roles.insert(output, found);
            }
        }
    }
    roles
}

/// A feature map: a wire whose axes are the batch, channels and places, in whatever order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FeatureMap {
    pub(crate) wire: Wire,
    /// The axis of the wire that holds channels.
    pub(crate) channel_axis: usize,
    pub(crate) n_channels: usize,
    /// Lengths of the sides, `[places…]`.
    pub(crate) grid: Vec<usize>,
    /// Where places are tokens of one axis.
    pub(crate) tokens: Option<Tokens>,
}

impl FeatureMap {
    /// The wire as a feature map of more than one place; `None` where its axes are none, or unknown.
    pub(crate) fn of(graph: &Graph, roles: &Roles, wire: Wire) -> Option<Self> {
        let (found, shape) = (roles.get(&wire)?, graph.shape(wire)?);
        let channel_axis = match found.as_slice() {
            [Role::Batch, Role::Channel, places @ ..] if are_places(places) => 1,
            [Role::Batch, places @ .., Role::Channel] if are_places(places) => found.len() - 1,
            _ => return None,
        };
        let n_channels = shape[channel_axis].known()?;
        let places = if channel_axis == 1 { 2..found.len() } else { 1..channel_axis };
        let (tokens, grid) = match &found[places.start] {
            Role::Tokens(tokens) => (Some(tokens.clone()), tokens.grid.clone()),
            _ => (None, shape[places].iter().map(Dim::known).collect::<Option<Vec<_>>>()?),
        };
        let is_map = graph.element(wire).is_float() && grid.iter().product::<usize>() > 1;
        is_map.then_some(Self { wire, channel_axis, n_channels, grid, tokens })
    }

    /// Emits what lies at the places of a wire laid out as this one, `[N, channels, places…]`.
    pub(crate) fn arranged(&self, graph: &mut Graph, wire: Wire) -> Wire {
        let rank = graph.rank(self.wire).unwrap_or(0) as i64;
        let Some(tokens) = &self.tokens else {
            let order: Vec<i64> = [0, rank - 1].into_iter().chain(1..rank - 1).collect();
            return if self.channel_axis == 1 { wire } else { graph.transpose(wire, &order) };
        };
        let token_axis = 3 - self.channel_axis as i64;
        let (start, n) = (tokens.n_before as i64, tokens.n_places() as i64);
        let places = match tokens.has_extra() {
            true => graph.slice(wire, token_axis, start, start + n),
            false => wire,
        };
        let places = if self.channel_axis == 1 { places } else { graph.transpose(places, &[0, 2, 1]) };
        let shape: Vec<i64> =
            [-1, self.n_channels as i64].into_iter().chain(self.grid.iter().map(|&n| n as i64)).collect();
        graph.reshape(places, &shape)
    }
}

/// All sides of the image in order, or the list of all places.
fn are_places(roles: &[Role]) -> bool {
    match roles {
        [] => false,
        [Role::Tokens(_)] => true,
        sides => sides.iter().enumerate().all(|(side, role)| *role == Role::Side(side)),
    }
}

#[cfg(test)]
mod tests;
