//! Chains that the two exporters of PyTorch write, and what is inferred against what is computed.

use crate::cases::op_cases;
use crate::evaluate::evaluate_wires;
use crate::graph::Graph;
use crate::passes::fold_constants;
use crate::text::parse;
use crate::types::{Dim, shape_text};

/// Checks that the shape of `y` is inferred, and that no length is left unknown once constants are folded.
fn check(text: &str, expected: &str) {
    let graph = parse(text).unwrap_or_else(|error| panic!("{error} in {text}"));
    assert_eq!(graph.shape(graph.outputs()[0]).map(shape_text).as_deref(), Some(expected), "{text}");
    check_folded(text, expected);
}

/// The same where only folding tells the shape.
fn check_folded(text: &str, expected: &str) {
    let graph = parse(text).unwrap_or_else(|error| panic!("{error} in {text}"));
    let folded = fold_constants(&graph).unwrap();
    assert_eq!(folded.shape(folded.outputs()[0]).map(shape_text).as_deref(), Some(expected), "{text}");
    for wire in folded.wires() {
        let shape = folded.shape(wire).unwrap_or_default();
        assert!(!shape.contains(&Dim::Unknown), "`{}` of {text}", folded.name_of(wire));
    }
}

#[test]
fn a_class_token_is_expanded_by_torchscript() {
    check(
        "g (float[N,5,8] x, float[1,1,8] token) => (float[?,?,?] y)
         <int64 first = {0}, int64[1] zero = {0}, int64[1] minus = {-1}, int64 times = {-1}>
         {
             s = Shape(x)
             n = Gather<axis = 0>(s, first)
             n1 = Unsqueeze(n, zero)
             asked = Concat<axis = 0>(n1, minus, minus)
             flat = Reshape<allowzero = 0>(asked, minus)
             rank = Shape(flat)
             ones = ConstantOfShape<value = int64[1] {1}>(rank)
             kept = Mul(ones, times)
             is_kept = Equal(flat, kept)
             wanted = Where(is_kept, ones, flat)
             tokens = Expand(token, wanted)
             y = Concat<axis = 1>(tokens, x)
         }",
        "[N, 6, 8]",
    );
}

#[test]
fn a_class_token_is_expanded_by_dynamo() {
    check(
        "g (float[N,5,8] x, float[1,1,8] token) => (float[?,?,?] y)
         <int64[2] rest = {-1, -1}, int64[1] one = {1}>
         {
             n = Shape<start = 0, end = 1>(x)
             asked = Concat<axis = 0>(n, rest)
             wanted = Abs(asked)
             tokens = Expand(token, wanted)
             y = Concat<axis = 1>(tokens, x)
         }",
        "[N, 6, 8]",
    );
}

#[test]
fn pixels_become_tokens_and_pixels_again() {
    check(
        "g (float[N,4,6,8] x) => (float[?,?,?,?] y)
         <int64[1] zero = {0}, int64[1] two = {2}, int64[1] minus = {-1},
          int64 i0 = {0}, int64 i1 = {1}, int64 i2 = {2}, int64 i3 = {3}>
         {
             s = Shape(x)
             outer = Slice(s, zero, two, zero)
             t = Concat<axis = 0>(outer, minus)
             pixels = Reshape(x, t)
             tokens = Transpose<perm = [0, 2, 1]>(pixels)
             n = Gather(s, i0)
             h = Gather(s, i2)
             w = Gather(s, i3)
             c = Gather(s, i1)
             n1 = Unsqueeze(n, zero)
             h1 = Unsqueeze(h, zero)
             w1 = Unsqueeze(w, zero)
             c1 = Unsqueeze(c, zero)
             back = Concat<axis = 0>(n1, h1, w1, c1)
             y = Reshape(tokens, back)
         }",
        "[N, 6, 8, 4]",
    );
}

#[test]
fn windows_are_counted_by_division() {
    check(
        "g (float[N,4,6,8] x) => (float[?,?,?] y)
         <int64[1] zero = {0}, int64 i0 = {0}, int64 i1 = {1}, int64 i2 = {2}, int64 i3 = {3}, int64 size = {2},
          int64[1] two = {2}, int64[1] four = {4}, int64[1] minus = {-1}>
         {
             s = Shape(x)
             n = Gather(s, i0)
             c = Gather(s, i1)
             h = Gather(s, i2)
             w = Gather(s, i3)
             rows = Div(h, size)
             columns = Div(w, size)
             n1 = Unsqueeze(n, zero)
             c1 = Unsqueeze(c, zero)
             rows1 = Unsqueeze(rows, zero)
             columns1 = Unsqueeze(columns, zero)
             t = Concat<axis = 0>(n1, c1, rows1, two, columns1, two)
             cut = Reshape(x, t)
             windows = Transpose<perm = [0, 2, 4, 3, 5, 1]>(cut)
             all = Concat<axis = 0>(minus, four, c1)
             y = Reshape(windows, all)
         }",
        "[12*N, 4, 4]",
    );
}

#[test]
fn heads_are_told_by_a_product_and_a_rest() {
    check(
        "g (float[N,5,12] x) => (float[?,?,?,?] y)
         <int64 i1 = {1}, int64 i2 = {2}, int64 heads = {3}, int64[1] zero = {0}, int64[1] three = {3}>
         {
             n1 = Shape<end = 1>(x)
             s = Shape(x)
             t = Gather(s, i1)
             d = Gather(s, i2)
             width = Div(d, heads)
             t1 = Unsqueeze(t, zero)
             width1 = Unsqueeze(width, zero)
             all = Mul(n1, t1)
             flat = Concat<axis = 0>(all, three, width1)
             rows = Reshape(x, flat)
             back = Concat<axis = 0>(n1, t1, three, width1)
             y = Reshape(rows, back)
         }",
        "[N, 5, 3, 4]",
    );
}

#[test]
fn a_table_of_positions_is_cut_to_a_named_length() {
    check(
        "g (float[N,T,8] x, float[1,64,8] positions) => (float[?,?,?] y)
         <int64 i1 = {1}, int64[1] zero = {0}, int64[1] one = {1}>
         {
             s = Shape(x)
             t = Gather(s, i1)
             t1 = Unsqueeze(t, zero)
             near = Slice(positions, zero, t1, one)
             y = Add(x, near)
         }",
        "[N, T, 8]",
    );
}

#[test]
fn places_are_counted_and_looked_up() {
    check(
        "g (int64[N,T] ids, float[64,8] positions) => (float[?,?] y)
         <int64 i1 = {1}, int64 zero = {0}, int64 one = {1}>
         {
             s = Shape(ids)
             t = Gather(s, i1)
             places = Range(zero, t, one)
             y = Gather(positions, places)
         }",
        "[T, 8]",
    );
}

#[test]
fn a_mask_is_made_of_named_lengths() {
    check(
        "g (float[N,T,8] x) => (float[?,?,?,?] y)
         <int64[1] one = {1}, float zero = {0}, float low = {-1e9}>
         {
             n = Shape<end = 1>(x)
             t = Shape<start = 1, end = 2>(x)
             square = Concat<axis = 0>(t, t)
             full = Expand(low, square)
             above = Trilu<upper = 1>(full)
             wanted = Concat<axis = 0>(n, one, t, t)
             y = Expand(above, wanted)
         }",
        "[N, 1, T, T]",
    );
}

#[test]
fn pads_are_turned_around_as_torchscript_does() {
    check_folded(
        "g (float[N,4,6,8] x) => (float[?,?,?,?] y)
         <int64[4] given = {2, 1, 0, 3}, int64[1] missing = {4}, int64[2] pairs = {-1, 2}, int64[1] minus = {-1},
          int64[1] zero = {0}, int64[1] far = {-9223372036854775807}>
         {
             none = ConstantOfShape<value = int64[1] {0}>(missing)
             all = Concat<axis = 0>(given, none)
             table = Reshape(all, pairs)
             turned = Slice(table, minus, far, zero, minus)
             columns = Transpose<perm = [1, 0]>(turned)
             flat = Reshape(columns, minus)
             pads = Cast<to = 7>(flat)
             y = Pad(x, pads)
         }",
        "[N, 4, 9, 11]",
    );
}

#[test]
fn sizes_are_asked_for_before_a_resize() {
    check(
        "g (float[N,2,3,4] small, float[N,5,6,9] large) => (float[?,?,?,?] y)
         <int64[1] zero = {0}, int64[1] two = {2}, int64[1] four = {4}, int64[1] one = {1}>
         {
             s = Shape(small)
             outer = Slice(s, zero, two, zero, one)
             wanted = Shape(large)
             spatial = Slice(wanted, two, four, zero, one)
             sizes = Concat<axis = 0>(outer, spatial)
             up = Resize<mode = \"linear\">(small, \"\", \"\", sizes)
             y = Concat<axis = 1>(up, large)
         }",
        "[N, 7, 6, 9]",
    );
}

/// Runs a case and compares each wire with what was inferred of it.
fn check_inference(graph: &Graph, inputs: &[crate::Tensor], name: &str) {
    let wires: Vec<_> = graph.wires().filter(|wire| graph.producer(*wire).is_some()).collect();
    let values = evaluate_wires(graph, inputs, &wires).unwrap_or_else(|error| panic!("{name}: {error}"));
    for (wire, value) in wires.into_iter().zip(values) {
        let (ty, what) = (graph.type_of(wire), graph.name_of(wire));
        assert!(ty.admits(value.shape()), "{name}: `{what}` of {ty:?} has shape {:?}", value.shape());
        assert_eq!(
            crate::evaluate::widened(&value.cast(ty.element)).element(),
            value.element(),
            "{name}: `{what}`"
        );
        if let Some(numbers) = graph.numbers(wire) {
            // Cases have a batch of 2.
            let with_batch = |dim: &Dim| match dim {
                Dim::Known(n) => Some(*n),
                Dim::Symbol { times, .. } => Some(2 * times),
                Dim::Unknown => None,
            };
            let told = numbers.numbers().iter().map(|n| n.int().or(with_batch(&n.dim()).map(|n| n as i64)));
            let agrees = |(told, value): (Option<i64>, i64)| told.is_none_or(|told| told == value);
            assert_eq!(numbers.numbers().len(), value.len(), "{name}: `{what}`");
            assert!(
                told.zip(value.to_i64s()).all(agrees),
                "{name}: `{what}` told as {numbers:?}, is {value:?}"
            );
        }
    }
}

#[test]
fn what_is_inferred_of_a_case_is_what_is_computed() {
    for case in op_cases() {
        let graph = case.parse();
        check_inference(&graph, &case.inputs(&graph, 11), case.name);
    }
}

#[test]
fn numbers_are_followed_through_arithmetic() {
    let graph = parse(
        "g (float[N,6,4] x) => (int64[?] y)
         <int64[3] a = {7, -7, 2}, int64[3] b = {2, 2, -3}, int64 i0 = {0}, int64 i1 = {1}, int64[1] zero = {0},
          int64 two = {2}, int64 big = {9223372036854775807}>
         {
             s = Shape(x) n = Gather(s, i0) c = Gather(s, i1)
             quotient = Div(a, b) rest = Mod(a, b) difference = Sub(a, b) smaller = Min(a, b) larger = Max(a, b)
             negative = Neg(a) absolute = Abs(a) below = Less(a, b) same = Equal(a, b) either = Or(below, same)
             picked = Where(either, a, b) at_most = GreaterOrEqual(b, a) both = And(below, at_most) isnt = Not(both)
             doubled = Mul(n, two) again = Div(doubled, n) gone = Sub(n, n) within = Min(n, big) least = Max(n, i0)
             n1 = Unsqueeze(n, zero) c1 = Unsqueeze(c, zero) y = Concat<axis = 0>(n1, c1) all = ReduceProd<keepdims = 0>(y)
             count = Size(x) up = Range(i1, c, two)
         }",
    )
    .unwrap();
    let numbers = |name: &str| {
        let numbers =
            graph.numbers(graph.wire(name).unwrap()).unwrap_or_else(|| panic!("nothing known of {name}"));
        numbers
            .numbers()
            .iter()
            .map(|n| n.int().map_or_else(|| n.dim().to_string(), |n| n.to_string()))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let expected = [
        ("quotient", "3 -3 0"),
        ("rest", "1 1 -1"),
        ("difference", "5 -9 5"),
        ("smaller", "2 -7 -3"),
        ("larger", "7 2 2"),
        ("negative", "-7 7 -2"),
        ("absolute", "7 7 2"),
        ("below", "0 1 0"),
        ("either", "0 1 0"),
        ("picked", "2 -7 -3"),
        ("at_most", "0 1 0"),
        ("isnt", "1 0 1"),
        ("doubled", "2*N"),
        ("again", "2"),
        ("gone", "0"),
        ("within", "N"),
        ("least", "N"),
        ("y", "N 6"),
        ("all", "6*N"),
        ("count", "24*N"),
        ("up", "1 3 5"),
    ];
    for (name, text) in expected {
        assert_eq!(numbers(name), text, "{name}");
    }
}
