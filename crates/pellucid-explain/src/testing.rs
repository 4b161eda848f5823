//! A tiny transformer for tests: two layers of two heads, random weights, the reference evaluator.

use std::fmt::Write;

use pellucid_graph::{Graph, text::parse};

/// The vocabulary of [`tiny_transformer`].
pub(crate) const VOCABULARY: usize = 11;
/// The most tokens that [`tiny_transformer`] takes.
pub(crate) const MAX_TOKENS: usize = 6;
/// The width of its vectors.
pub(crate) const WIDTH: usize = 4;

/// `input_ids`, `attention_mask` `[n, t]` → `y` `[n, 3]`, the mean over tokens, or with `per_token` `[n, t, 3]`. The
/// attention maps are the wires `a0` and `a1`, `[n, 2, t, t]`.
pub(crate) fn tiny_transformer(per_token: bool) -> Graph {
    let mut state = 0x2545_F491_4F6C_DD1Du64;
    let mut random = |shape: &[usize]| {
        let numbers: Vec<String> = (0..shape.iter().product())
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                format!("{:.4}", (state >> 40) as f64 / f64::from(1u32 << 23) - 1.0)
            })
            .collect();
        let lengths: Vec<String> = shape.iter().map(usize::to_string).collect();
        (lengths.join(","), numbers.join(", "))
    };
    let mut constants = String::new();
    let mut constant = |name: &str, shape: &[usize]| {
        let (lengths, numbers) = random(shape);
        let _ = write!(constants, "float[{lengths}] {name} = {{{numbers}}}, ");
    };
    constant("words", &[VOCABULARY, WIDTH]);
    constant("positions", &[MAX_TOKENS, WIDTH]);
    constant("head", &[WIDTH, 3]);
    for layer in 0..2 {
        for name in ["wq", "wk", "wv", "wo"] {
            constant(&format!("{name}{layer}"), &[WIDTH, WIDTH]);
        }
        constant(&format!("up{layer}"), &[WIDTH, 2 * WIDTH]);
        constant(&format!("down{layer}"), &[2 * WIDTH, WIDTH]);
    }
    let mut nodes = String::from(
        "w = Gather(words, input_ids) s = Shape(input_ids) n = Gather(s, one) m = Unsqueeze(n, first)
         p = Slice(positions, first, m, first) x0 = Add(w, p)
         f = Cast<to = 1>(attention_mask) i = Sub(onef, f) b = Mul(i, low) mask = Unsqueeze(b, inner) ",
    );
    for l in 0..2 {
        let next = l + 1;
        let _ = write!(
            nodes,
            "q{l} = MatMul(x{l}, wq{l}) k{l} = MatMul(x{l}, wk{l}) v{l} = MatMul(x{l}, wv{l})
             qr{l} = Reshape(q{l}, heads) kr{l} = Reshape(k{l}, heads) vr{l} = Reshape(v{l}, heads)
             qh{l} = Transpose<perm = [0, 2, 1, 3]>(qr{l}) kh{l} = Transpose<perm = [0, 2, 3, 1]>(kr{l})
             vh{l} = Transpose<perm = [0, 2, 1, 3]>(vr{l}) sc{l} = MatMul(qh{l}, kh{l}) sd{l} = Mul(sc{l}, scale)
             sm{l} = Add(sd{l}, mask) a{l} = Softmax<axis = -1>(sm{l}) c{l} = MatMul(a{l}, vh{l})
             ct{l} = Transpose<perm = [0, 2, 1, 3]>(c{l}) cf{l} = Reshape(ct{l}, joined) o{l} = MatMul(cf{l}, wo{l})
             r{l} = Add(x{l}, o{l}) u{l} = MatMul(r{l}, up{l}) t{l} = Tanh(u{l}) d{l} = MatMul(t{l}, down{l})
             x{next} = Add(r{l}, d{l}) "
        );
    }
    let (output, end) = match per_token {
        true => ("float[n,t,3]", "y = MatMul(x2, head)"),
        false => ("float[n,3]", "z = ReduceMean<keepdims = 0>(x2, middle) y = MatMul(z, head)"),
    };
    let text = format!(
        "tiny (int64[n,t] input_ids, int64[n,t] attention_mask) => ({output} y)
         <{constants} int64 one = {{1}}, int64[1] first = {{0}}, int64[1] middle = {{1}}, int64[2] inner = {{1, 2}},
          float onef = {{1}}, float low = {{-1000000000}}, float scale = {{0.7}}, int64[4] heads = {{0, 0, 2, 2}},
          int64[3] joined = {{0, 0, 4}}> {{ {nodes} {end} }}"
    );
    parse(&text).unwrap_or_else(|error| panic!("the text is a graph: {error}"))
}
