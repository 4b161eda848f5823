use std::cell::Cell;
use std::sync::Arc;

use pellucid_graph::{Error, Graph, Session, Tensor};

use super::{BYTES_BESIDE, COPIES_OF_CONSTANTS, Cache, session_bytes};

struct Nothing;

impl Session for Nothing {
    fn run(&self, _: &[Tensor]) -> Result<Vec<Tensor>, Error> {
        Ok(Vec::new())
    }
}

/// A graph that gives a constant of `n` numbers.
fn graph(n: usize) -> Graph {
    let mut graph = Graph::new("g");
    let constant = graph.add_constant("c", Tensor::f32(&[n], vec![1.0; n]));
    let output = graph.neg(constant);
    graph.add_output(output);
    graph
}

/// Whether the session of `graph` had to be made.
fn is_made(cache: &Cache, graph: &Graph) -> bool {
    let made = Cell::new(false);
    let make = || {
        made.set(true);
        Ok(Arc::new(Nothing) as Arc<dyn Session>)
    };
    cache.get_or_make(graph, make).unwrap();
    made.get()
}

#[test]
fn the_least_recently_used_session_goes_first() {
    let [a, b, c] = [1000, 1001, 1002].map(graph);
    let cache = Cache::new(session_bytes(&c) * 2);
    assert!(is_made(&cache, &a) && is_made(&cache, &b));
    assert!(!is_made(&cache, &a) && !is_made(&cache, &b) && !is_made(&cache, &a));
    assert!(is_made(&cache, &c), "this drops b");
    assert!(!is_made(&cache, &a));
    assert!(is_made(&cache, &b));
}

#[test]
fn a_session_counts_as_copies_of_its_constants() {
    assert_eq!(session_bytes(&graph(1000)), COPIES_OF_CONSTANTS * 4000 + BYTES_BESIDE);
}

#[test]
fn one_above_the_cap_is_used_and_not_kept() {
    let (small, large) = (graph(10), graph(1_000_000));
    let cache = Cache::new(session_bytes(&small));
    assert!(is_made(&cache, &small));
    assert!(is_made(&cache, &large) && is_made(&cache, &large));
    assert!(!is_made(&cache, &small), "and drops nothing");
}

#[test]
fn equal_graphs_share_a_session() {
    let cache = Cache::new(1 << 20);
    assert!(is_made(&cache, &graph(3)));
    assert!(!is_made(&cache, &graph(3)));
    let mut other = Graph::new("g");
    let constant = other.add_constant("c", Tensor::f32(&[3], vec![1.0, 1.0, 2.0]));
    let output = other.neg(constant);
    other.add_output(output);
    assert!(is_made(&cache, &other), "another constant, another graph");
}
