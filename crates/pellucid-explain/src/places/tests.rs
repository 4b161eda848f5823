use pellucid_graph::text::parse;

use super::*;

/// The graph `x [N,3,6,4] → Conv (2 channels, stride 2) → nodes`, and what the axes of `y` count.
fn roles_after(nodes: &str, constants: &str) -> Option<Vec<Role>> {
    let graph = parse(&format!(
        "f (float[N,3,6,4] x) => (float[N,3,6,4] z)
         <float[2,3,2,2] kernel = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6}}{constants}>
         {{ c = Conv<strides = [2, 2]>(x, kernel) {nodes} z = Relu(x) }}"
    ));
    let graph = graph.expect("the text is a graph");
    roles(&graph).remove(&graph.wire("y").expect("the last wire"))
}

fn tokens(n_before: usize, n_after: usize) -> Role {
    Role::Tokens(Tokens { grid: vec![3, 2], n_before, n_after })
}

use Role::{Batch, Channel, Other, Side};

#[test]
fn places_become_tokens_and_sides_again() {
    let flat = ", int64[3] flat = {-1, 2, 6}, int64[4] wide = {-1, 3, 2, 2}";
    let to_tokens = "f = Reshape(c, flat) t = Transpose<perm = [0, 2, 1]>(f)";
    let found = roles_after(&format!("{to_tokens} y = Relu(t)"), flat);
    assert_eq!(found, Some(vec![Batch, tokens(0, 0), Channel]));
    let found = roles_after(&format!("{to_tokens} y = Reshape(t, wide)"), flat);
    assert_eq!(found, Some(vec![Batch, Side(0), Side(1), Channel]));
}

#[test]
fn tokens_that_are_no_places_are_counted_and_dropped() {
    let constants = ", int64[3] flat = {-1, 2, 6}, float[1,2,1] token = {1, 2}, int64[1] one = {1}, int64[1] zero = {0},
                     int64[1] seven = {7}, int64[1] six = {6}, int64[1] axis = {2}, float none = {0}, int64 first = {0}";
    let joined = "f = Reshape(c, flat) m = ReduceMean(f, axis) n = Mul(m, none) e = Add(n, token)
                  j = Concat<axis = 2>(e, f, e, e)";
    let check = |nodes: &str, expected: &[Role]| {
        assert_eq!(
            roles_after(&format!("{joined} {nodes}"), constants).as_deref(),
            Some(expected),
            "{nodes}"
        );
    };
    check("y = Relu(j)", &[Batch, Channel, tokens(1, 2)]);
    check("y = Slice(j, one, seven, axis)", &[Batch, Channel, tokens(0, 0)]);
    // As many tokens, but not the places.
    check("y = Slice(j, zero, six, axis)", &[Batch, Channel, Other]);
    check("y = Gather<axis = 2>(j, first)", &[Batch, Channel]);
}

#[test]
fn windows_and_mixtures_are_not_followed() {
    let constants = ", int64[5] windows = {-1, 2, 3, 2, 1}, int64[3] rows = {-1, 3, 4}, float[2,5] w = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}";
    let found = roles_after("y = Reshape(c, windows)", constants);
    assert_eq!(found, Some(vec![Batch, Channel, Side(0), Side(1), Other]));
    let found = roles_after("t = Transpose<perm = [0, 2, 1, 3]>(c) y = Reshape(t, rows)", constants);
    assert_eq!(found, Some(vec![Batch, Side(0), Other]));
    let found = roles_after("y = MatMul(c, w)", constants);
    assert_eq!(found, Some(vec![Batch, Channel, Side(0), Other]), "sums over a side");
    let found = roles_after("t = Transpose<perm = [0, 2, 3, 1]>(c) y = MatMul(t, w)", constants);
    assert_eq!(found, Some(vec![Batch, Side(0), Side(1), Channel]));
}
