//! Nodes of a file, in whatever order and wherever they are → nodes from the root down, children behind parents.

use crate::ensemble::TreeNode;
use crate::error::Error;

/// Walks from `root`, left first. `visit` gives a node, whose children are not yet linked, and where its left and right child
/// stand in the file. No recursion: trees may be as deep as they like.
///
/// # Errors
/// Those of `visit`; `too_many` where there are more than `most` nodes, which only happens where nodes have two parents.
pub(super) fn from_root<P: Copy>(
    root: P,
    most: usize,
    too_many: impl FnOnce() -> Error,
    mut visit: impl FnMut(P) -> Result<(TreeNode, Option<[P; 2]>), Error>,
) -> Result<Vec<TreeNode>, Error> {
    let mut nodes: Vec<TreeNode> = Vec::new();
    let mut open = vec![(root, None)];
    while let Some((place, parent)) = open.pop() {
        let index = nodes.len();
        if index >= most {
            return Err(too_many());
        }
        if let Some((parent, is_left)) = parent {
            link(&mut nodes, parent, is_left, index as u32);
        }
        let (node, children) = visit(place)?;
        nodes.push(node);
        if let Some([left, right]) = children {
            open.push((right, Some((index, false))));
            open.push((left, Some((index, true))));
        }
    }
    Ok(nodes)
}

fn link(nodes: &mut [TreeNode], parent: usize, is_left: bool, child: u32) {
    if let TreeNode::Split(split) = &mut nodes[parent] {
        *(if is_left { &mut split.left } else { &mut split.right }) = child;
    }
}
