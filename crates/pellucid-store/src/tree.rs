//! Entries → hashes of the tree, inclusion and consistency proofs, and their checks: RFC 6962 and RFC 9162, nothing stored.

use crate::digest::Digest;
use crate::error::Error;

/// Levels of the tree between two levels of tiles.
pub(crate) const TILE_HEIGHT: u8 = 8;

/// `SHA-256(0x00 ‖ entry)`.
///
/// ```
/// let empty = pellucid_store::entry_hash(b"");
/// assert!(empty.to_string().starts_with("6e340b9cffb37a98"));
/// ```
#[must_use]
pub fn entry_hash(entry: &[u8]) -> Digest {
    Digest::of(&[&[0], entry])
}

/// `SHA-256(0x01 ‖ left ‖ right)`.
pub(crate) fn node_hash(left: Digest, right: Digest) -> Digest {
    Digest::of(&[&[1], &left.0, &right.0])
}

/// The root of a tree without entries: `SHA-256()`.
fn empty_root() -> Digest {
    Digest::of(&[])
}

/// A complete subtree's root: the `index`th of its level, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) level: u8,
    pub(crate) index: u64,
    pub(crate) hash: Digest,
}

/// The right edge of a growing tree: the roots of its complete subtrees, largest first. All that appending needs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frontier {
    nodes: Vec<Node>,
}

impl Frontier {
    /// The right edge of a tree of `n` entries, from its stored hashes.
    pub(crate) fn of(n: u64, hash: &impl Fn(u8, u64) -> Result<Digest, Error>) -> Result<Self, Error> {
        let mut nodes = Vec::new();
        let mut first = 0;
        for level in (0..64).rev().filter(|level| n >> level & 1 == 1) {
            let end = first + (1_u64 << level);
            nodes.push(Node { level, index: first >> level, hash: range_root(first, end, hash)? });
            first = end;
        }
        Ok(Self { nodes })
    }

    /// How many entries the tree has.
    pub(crate) fn n_entries(&self) -> u64 {
        self.nodes.iter().map(|node| 1_u64 << node.level).sum()
    }

    /// Adds an entry's hash; gives every complete subtree that it makes, the entry itself first.
    pub(crate) fn push(&mut self, entry: Digest) -> Vec<Node> {
        let mut node = Node { level: 0, index: self.n_entries(), hash: entry };
        let mut made = vec![node];
        while let Some(left) = self.nodes.pop_if(|left| left.level == node.level) {
            node =
                Node { level: node.level + 1, index: node.index >> 1, hash: node_hash(left.hash, node.hash) };
            made.push(node);
        }
        self.nodes.push(node);
        made
    }

    /// The tree's root.
    pub(crate) fn root(&self) -> Digest {
        let hashes = self.nodes.iter().rev().map(|node| node.hash);
        hashes.reduce(|right, left| node_hash(left, right)).unwrap_or_else(empty_root)
    }
}

/// The largest power of two below `n`, for `n` of at least 2.
fn split(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}

/// `MTH(D[first:end])`, where `first` is a multiple of the largest complete subtree within. `hash` knows the levels that
/// tiles begin at; what lies between is computed.
pub(crate) fn range_root(
    first: u64,
    end: u64,
    hash: &impl Fn(u8, u64) -> Result<Digest, Error>,
) -> Result<Digest, Error> {
    let n = end - first;
    if n == 0 {
        return Ok(empty_root());
    }
    let level = n.trailing_zeros() as u8;
    if n.is_power_of_two() && level.is_multiple_of(TILE_HEIGHT) {
        return hash(level, first >> level);
    }
    let middle = first + split(n);
    Ok(node_hash(range_root(first, middle, hash)?, range_root(middle, end, hash)?))
}

/// `PATH(index, D[0:n])` of RFC 6962, 2.1.1: the hashes beside the way from entry to root, the entry's sibling first.
pub(crate) fn inclusion_path(
    index: u64,
    n: u64,
    hash: &impl Fn(u8, u64) -> Result<Digest, Error>,
) -> Result<Vec<Digest>, Error> {
    let (mut first, mut end) = (0, n);
    let mut path = Vec::new();
    while end - first > 1 {
        let middle = first + split(end - first);
        if index < middle {
            path.push(range_root(middle, end, hash)?);
            end = middle;
        } else {
            path.push(range_root(first, middle, hash)?);
            first = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// `PROOF(old, D[0:n])` of RFC 6962, 2.1.2: that the first `old` entries are still the first of `n`.
pub(crate) fn consistency_path(
    old: u64,
    n: u64,
    hash: &impl Fn(u8, u64) -> Result<Digest, Error>,
) -> Result<Vec<Digest>, Error> {
    let (mut first, mut end) = (0, n);
    let mut path = Vec::new();
    while old < end {
        let middle = first + split(end - first);
        if old <= middle {
            path.push(range_root(middle, end, hash)?);
            end = middle;
        } else {
            path.push(range_root(first, middle, hash)?);
            first = middle;
        }
    }
    if first > 0 {
        path.push(range_root(first, end, hash)?);
    }
    path.reverse();
    Ok(path)
}

/// The root that an inclusion path leads to: RFC 9162, 2.1.3.2. `None`: the path does not fit.
pub(crate) fn root_from_inclusion(index: u64, n: u64, entry: Digest, path: &[Digest]) -> Option<Digest> {
    if index >= n {
        return None;
    }
    let (mut place, mut last, mut root) = (index, n - 1, entry);
    for &beside in path {
        if last == 0 {
            return None;
        }
        if place & 1 == 1 || place == last {
            root = node_hash(beside, root);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            root = node_hash(root, beside);
        }
        place >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(root)
}

/// Both roots that a consistency path leads to, of the old tree and of the new: RFC 9162, 2.1.4.2. `None`: the path
/// does not fit.
pub(crate) fn roots_from_consistency(
    old: u64,
    n: u64,
    old_root: Digest,
    path: &[Digest],
) -> Option<(Digest, Digest)> {
    if old == 0 || old >= n {
        return (old == n && old > 0 && path.is_empty()).then_some((old_root, old_root));
    }
    let (mut place, mut last) = (old - 1, n - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let mut path = path.iter().copied();
    // An old tree that is one complete subtree is itself the first step.
    let start = if old.is_power_of_two() { old_root } else { path.next()? };
    let (mut before, mut after) = (start, start);
    for beside in path {
        if last == 0 {
            return None;
        }
        if place & 1 == 1 || place == last {
            before = node_hash(beside, before);
            after = node_hash(beside, after);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            after = node_hash(after, beside);
        }
        place >>= 1;
        last >>= 1;
    }
    (last == 0).then_some((before, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
    use sha2::Sha256;
    use std::collections::BTreeMap;

    type Oracle = MemoryBackedTree<Sha256, Vec<u8>>;

    fn entry(index: u64) -> Vec<u8> {
        format!("entry {index}").into_bytes()
    }

    /// A tree of `n` entries, as stored (only the levels at which tiles begin), and the second opinion's.
    fn grown(n: u64) -> (Frontier, BTreeMap<(u8, u64), Digest>, Oracle) {
        let (mut frontier, mut stored, mut oracle) = (Frontier::default(), BTreeMap::new(), Oracle::new());
        for index in 0..n {
            let made = frontier.push(entry_hash(&entry(index)));
            let kept = made.into_iter().filter(|node| node.level.is_multiple_of(TILE_HEIGHT));
            stored.extend(kept.map(|node| ((node.level, node.index), node.hash)));
            oracle.push(entry(index));
        }
        (frontier, stored, oracle)
    }

    fn oracle_root(oracle: &Oracle) -> Digest {
        Digest(oracle.root().as_bytes().as_slice().try_into().expect("32 bytes"))
    }

    fn flat(path: &[Digest]) -> Vec<u8> {
        path.iter().flat_map(|hash| hash.0).collect()
    }

    #[test]
    fn a_second_library_sees_the_same_trees_and_proofs() {
        let (_, stored, _) = grown(600);
        let hash = |level, index| Ok(stored[&(level, index)]);
        let (mut frontier, mut oracle) = (Frontier::default(), Oracle::new());
        let mut roots = vec![frontier.root()];
        let dense = |n: u64| n < 20 || matches!(n, 255..=258 | 511..=514 | 600);
        for n in 1..=600 {
            frontier.push(entry_hash(&entry(n - 1)));
            oracle.push(entry(n - 1));
            roots.push(frontier.root());
            if !dense(n) {
                continue;
            }
            assert_eq!(oracle_root(&oracle), frontier.root());
            assert_eq!(range_root(0, n, &hash), Ok(frontier.root()));
            assert_eq!(Frontier::of(n, &hash).expect("stored").nodes, frontier.nodes);
            for index in (0..n).filter(|index| n < 20 || index % 37 == 0 || *index == n - 1) {
                let path = inclusion_path(index, n, &hash).expect("stored");
                assert_eq!(oracle.prove_inclusion(index as usize).as_bytes(), flat(&path));
                assert_eq!(
                    root_from_inclusion(index, n, entry_hash(&entry(index)), &path),
                    Some(frontier.root())
                );
            }
            for old in (1..n).filter(|old| n < 20 || old % 41 == 0 || *old == n - 1 || *old == 256) {
                let path = consistency_path(old, n, &hash).expect("stored");
                assert_eq!(oracle.prove_consistency((n - old) as usize).as_bytes(), flat(&path));
                let expected = Some((roots[old as usize], frontier.root()));
                assert_eq!(
                    roots_from_consistency(old, n, roots[old as usize], &path),
                    expected,
                    "{old} of {n}"
                );
            }
        }
    }

    /// A prover who lies: every other index, size, order and length of a path must lead elsewhere, or nowhere.
    #[test]
    fn false_paths_prove_nothing() {
        let (_, stored, _) = grown(24);
        let hash = |level, index| Ok(stored[&(level, index)]);
        let roots: Vec<Digest> = (0..24).map(|n| range_root(0, n, &hash).expect("stored")).collect();
        let root = |n| roots[n as usize];
        for n in 1..24 {
            for index in 0..n {
                let path = inclusion_path(index, n, &hash).expect("stored");
                let proven = |at, size, path: &[Digest]| {
                    root_from_inclusion(at, size, entry_hash(&entry(index)), path) == Some(root(n))
                };
                assert!(proven(index, n, &path));
                assert!((0..n + 3).filter(|&at| at != index).all(|at| !proven(at, n, &path)));
                for other in altered(&path) {
                    assert!(!proven(index, n, &other));
                }
            }
            for old in 1..n {
                let path = consistency_path(old, n, &hash).expect("stored");
                let proven = |old_root, path: &[Digest]| {
                    roots_from_consistency(old, n, old_root, path) == Some((old_root, root(n)))
                };
                assert!(proven(root(old), &path));
                assert!(!proven(Digest([9; 32]), &path));
                assert!(altered(&path).iter().all(|other| !proven(root(old), other)));
            }
        }
        assert_eq!(roots_from_consistency(0, 4, root(0), &[]), None);
        assert_eq!(roots_from_consistency(5, 4, root(4), &[]), None);
    }

    /// The path with one hash changed, missing or too many.
    fn altered(path: &[Digest]) -> Vec<Vec<Digest>> {
        let mut others = vec![[path, &[Digest([0; 32])]].concat(), [&[Digest([0; 32])], path].concat()];
        for index in 0..path.len() {
            let mut flipped = path.to_vec();
            flipped[index].0[31] ^= 1;
            let mut shorter = path.to_vec();
            shorter.remove(index);
            others.extend([flipped, shorter]);
        }
        others
    }

    #[test]
    fn verifiers_of_the_second_library_take_our_proofs() {
        let (frontier, stored, oracle) = grown(300);
        let hash = |level, index| Ok(stored[&(level, index)]);
        let root = RootHash::<Sha256>::new(frontier.root().0.into(), 300);
        let path = inclusion_path(256, 300, &hash).expect("stored");
        let proof = InclusionProof::try_from_bytes(flat(&path)).expect("whole hashes");
        root.verify_inclusion(&entry(256), 256, &proof).expect("true");
        let old = RootHash::<Sha256>::new(range_root(0, 257, &hash).expect("stored").0.into(), 257);
        let path = consistency_path(257, 300, &hash).expect("stored");
        let proof = ConsistencyProof::try_from_bytes(flat(&path)).expect("whole hashes");
        root.verify_consistency(&old, &proof).expect("true");
        assert_eq!(oracle_root(&oracle), frontier.root());
    }
}
