//! The attributes of the tree ops, versions 1 to 5 → one form.

use std::collections::BTreeMap;

use pellucid_graph::{Attribute, Node};

use super::mode::{Branch, Mode};
use super::{broken, unsupported};
use crate::ensemble::Precision;
use crate::error::Error;

/// All trees of a node.
#[derive(Debug)]
pub(super) struct Forest {
    pub(super) nodes: Vec<ForestNode>,
    /// In the order in which their trees are added.
    pub(super) roots: Vec<usize>,
    pub(super) precision: Precision,
}

#[derive(Debug)]
pub(super) enum ForestNode {
    /// A branch, and where "true" and "false" lead.
    Branch(Box<Branch>, [usize; 2]),
    /// The outputs that a leaf adds to, and what.
    Leaf(Vec<(usize, f64)>),
}

/// A list of numbers: `name`, or the tensor `name_as_tensor`, which may hold doubles.
pub(super) fn numbers(node: &Node, name: &str) -> Result<Option<Vec<f64>>, Error> {
    let as_tensor = format!("{name}_as_tensor");
    let attribute = node.attributes.get(name).or_else(|| node.attributes.get(&as_tensor));
    Ok(match attribute {
        None => None,
        Some(Attribute::Floats(values)) => Some(values.iter().map(|&value| f64::from(value)).collect()),
        Some(Attribute::Ints(values)) if values.is_empty() => Some(Vec::new()),
        Some(Attribute::Tensor(tensor)) if tensor.element().is_float() || tensor.element().is_integer() => {
            Some(tensor.to_f64s())
        }
        Some(_) => return Err(fault(node, format!("`{name}` holds no numbers"))),
    })
}

pub(super) fn fault(node: &Node, reason: impl std::fmt::Display) -> Error {
    broken(format!("node `{}` ({}): {reason}", node.name, node.op))
}

fn ints<'n>(node: &'n Node, name: &str) -> Result<&'n [i64], Error> {
    node.ints(name).ok_or_else(|| fault(node, format!("no list of integers `{name}`")))
}

/// The list, or as many zeros.
fn ints_or_zeros(node: &Node, name: &str, length: usize) -> Result<Vec<i64>, Error> {
    match node.attributes.get(name) {
        None => Ok(vec![0; length]),
        Some(Attribute::Ints(values)) if values.len() == length => Ok(values.clone()),
        Some(_) => Err(fault(node, format!("`{name}` is no list of {length} integers"))),
    }
}

fn index(node: &Node, name: &str, value: i64) -> Result<usize, Error> {
    usize::try_from(value).map_err(|_| fault(node, format!("`{name}` holds {value}")))
}

fn same_length(node: &Node, name: &str, length: usize, expected: usize) -> Result<(), Error> {
    match length == expected {
        true => Ok(()),
        false => Err(fault(node, format!("`{name}` has {length} entries for {expected}"))),
    }
}

/// Reads `TreeEnsembleClassifier` (`class`) and `TreeEnsembleRegressor` (`target`).
pub(super) fn forest(node: &Node, kind: &str, precision: Precision) -> Result<Forest, Error> {
    let Some(Attribute::Strings(modes)) = node.attributes.get("nodes_modes") else {
        return Err(fault(node, "no list of texts `nodes_modes`"));
    };
    let n = modes.len();
    let places = places(node, n)?;
    let place = |tree: i64, id: i64| {
        let found = places.get(&(tree, id)).copied();
        found.ok_or_else(|| fault(node, format!("tree {tree} has no node {id}")))
    };
    let trees = ints(node, "nodes_treeids")?;
    let [features, yes, no] = ["nodes_featureids", "nodes_truenodeids", "nodes_falsenodeids"].map(|name| {
        let list = ints(node, name)?;
        same_length(node, name, list.len(), n).map(|()| list)
    });
    let (features, yes, no) = (features?, yes?, no?);
    let values = numbers(node, "nodes_values")?.ok_or_else(|| fault(node, "no `nodes_values`"))?;
    same_length(node, "nodes_values", values.len(), n)?;
    let missing_true = ints_or_zeros(node, "nodes_missing_value_tracks_true", n)?;
    let mut nodes = Vec::with_capacity(n);
    for i in 0..n {
        nodes.push(match Mode::from_name(&modes[i])? {
            None => ForestNode::Leaf(Vec::new()),
            Some(mode) => {
                let feature = u32::try_from(features[i]);
                let feature = feature.map_err(|_| fault(node, format!("feature {}", features[i])))?;
                let missing_true = missing_true[i] != 0;
                let branch = Branch { feature, mode, value: values[i], members: Vec::new(), missing_true };
                ForestNode::Branch(Box::new(branch), [place(trees[i], yes[i])?, place(trees[i], no[i])?])
            }
        });
    }
    add_weights(node, kind, &mut nodes, place)?;
    let roots = roots(node, trees, &nodes)?;
    Ok(Forest { nodes, roots, precision })
}

/// Where each node of each tree stands.
fn places(node: &Node, n: usize) -> Result<BTreeMap<(i64, i64), usize>, Error> {
    let (trees, ids) = (ints(node, "nodes_treeids")?, ints(node, "nodes_nodeids")?);
    same_length(node, "nodes_treeids", trees.len(), n)?;
    same_length(node, "nodes_nodeids", ids.len(), n)?;
    let mut places = BTreeMap::new();
    for (index, (&tree, &id)) in trees.iter().zip(ids).enumerate() {
        if places.insert((tree, id), index).is_some() {
            return Err(fault(node, format!("tree {tree} has two nodes {id}")));
        }
    }
    Ok(places)
}

fn add_weights(
    node: &Node,
    kind: &str,
    nodes: &mut [ForestNode],
    place: impl Fn(i64, i64) -> Result<usize, Error>,
) -> Result<(), Error> {
    let name = |what: &str| format!("{kind}_{what}");
    let (trees, ids) = (ints(node, &name("treeids"))?, ints(node, &name("nodeids"))?);
    let outputs = ints(node, &name("ids"))?;
    let weights =
        numbers(node, &name("weights"))?.ok_or_else(|| fault(node, format!("no `{kind}_weights`")))?;
    for (what, length) in [("nodeids", ids.len()), ("ids", outputs.len()), ("weights", weights.len())] {
        same_length(node, &name(what), length, trees.len())?;
    }
    for (i, &weight) in weights.iter().enumerate() {
        match &mut nodes[place(trees[i], ids[i])?] {
            ForestNode::Leaf(leaf) => leaf.push((index(node, &name("ids"), outputs[i])?, weight)),
            ForestNode::Branch(..) => {
                return Err(fault(
                    node,
                    format!("tree {}: node {} is no leaf but has a weight", trees[i], ids[i]),
                ));
            }
        }
    }
    Ok(())
}

/// The node of each tree that is no node's child.
fn roots(node: &Node, trees: &[i64], nodes: &[ForestNode]) -> Result<Vec<usize>, Error> {
    let mut is_child = vec![false; nodes.len()];
    for forest_node in nodes {
        if let ForestNode::Branch(_, children) = forest_node {
            children.iter().for_each(|&child| is_child[child] = true);
        }
    }
    let mut by_tree: BTreeMap<i64, Option<usize>> = BTreeMap::new();
    let mut order = Vec::new();
    for (index, &tree) in trees.iter().enumerate() {
        let root = by_tree.entry(tree).or_insert_with(|| {
            order.push(tree);
            None
        });
        if !is_child[index] && root.replace(index).is_some() {
            return Err(fault(node, format!("tree {tree} has two roots")));
        }
    }
    let root = |tree: &i64| by_tree[tree].ok_or_else(|| fault(node, format!("tree {tree} has no root")));
    order.iter().map(root).collect()
}

/// Reads `TreeEnsemble` of version 5.
pub(super) fn forest_v5(node: &Node) -> Result<Forest, Error> {
    let tensor = |name: &str| match node.attributes.get(name) {
        Some(Attribute::Tensor(tensor)) if tensor.element() != pellucid_graph::ElementType::String => {
            Ok(tensor)
        }
        _ => Err(fault(node, format!("no tensor `{name}`"))),
    };
    let splits = tensor("nodes_splits")?;
    let precision = match splits.element() {
        pellucid_graph::ElementType::F64 => Precision::F64,
        pellucid_graph::ElementType::F32 => Precision::F32,
        _ => return Err(unsupported("a TreeEnsemble of 16-bit floats", "32 and 64 bits are read")),
    };
    let values = splits.to_f64s();
    let n = values.len();
    let modes = tensor("nodes_modes")?.to_i64s();
    same_length(node, "nodes_modes", modes.len(), n)?;
    let names = [
        "nodes_featureids",
        "nodes_truenodeids",
        "nodes_falsenodeids",
        "nodes_trueleafs",
        "nodes_falseleafs",
    ];
    let mut lists = [&[][..]; 5];
    for (list, name) in lists.iter_mut().zip(names) {
        *list = ints(node, name)?;
        same_length(node, name, list.len(), n)?;
    }
    let missing_true = ints_or_zeros(node, "nodes_missing_value_tracks_true", n)?;
    let (targets, weights) = (ints(node, "leaf_targetids")?, tensor("leaf_weights")?.to_f64s());
    same_length(node, "leaf_weights", weights.len(), targets.len())?;
    let mut members = member_lists(node)?;
    let mut nodes = Vec::with_capacity(n + targets.len());
    let child = |to: i64, is_leaf: i64| {
        let (offset, end) = if is_leaf != 0 { (n, targets.len()) } else { (0, n) };
        let to = index(node, "nodes_truenodeids", to)?;
        if to < end { Ok(offset + to) } else { Err(fault(node, format!("node or leaf {to} of {end}"))) }
    };
    for i in 0..n {
        let mode = Mode::from_number(modes[i])?;
        let feature =
            u32::try_from(lists[0][i]).map_err(|_| fault(node, format!("feature {}", lists[0][i])))?;
        let members = if mode == Mode::Member { members.next() } else { Some(Vec::new()) };
        let members =
            members.ok_or_else(|| fault(node, "fewer `membership_values` than nodes that need them"))?;
        let branch = Branch { feature, mode, value: values[i], members, missing_true: missing_true[i] != 0 };
        let children = [child(lists[1][i], lists[3][i])?, child(lists[2][i], lists[4][i])?];
        nodes.push(ForestNode::Branch(Box::new(branch), children));
    }
    for (&target, &weight) in targets.iter().zip(&weights) {
        nodes.push(ForestNode::Leaf(vec![(index(node, "leaf_targetids", target)?, weight)]));
    }
    let root = |&root: &i64| match index(node, "tree_roots", root)? {
        root if root < n => Ok(root),
        root => Err(fault(node, format!("root {root} of {n} nodes"))),
    };
    let roots = ints(node, "tree_roots")?.iter().map(root).collect::<Result<_, _>>()?;
    Ok(Forest { nodes, roots, precision })
}

/// The sets of the `Member` nodes, one after the other, NaN between them.
fn member_lists(node: &Node) -> Result<impl Iterator<Item = Vec<f64>> + use<>, Error> {
    let values = numbers(node, "membership_values")?.unwrap_or_default();
    let lists: Vec<Vec<f64>> = values.split(|value| value.is_nan()).map(<[f64]>::to_vec).collect();
    Ok(lists.into_iter())
}
