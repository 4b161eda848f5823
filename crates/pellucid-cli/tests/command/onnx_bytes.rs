//! The bytes of small ONNX files, broken ones among them, written field by field.

/// One field of a protocol buffer: its number and bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut all = vec![number << 3 | 2];
    all.extend(varint(bytes.len() as u64));
    all.extend(bytes);
    all
}

fn number(field: u8, value: u64) -> Vec<u8> {
    let mut all = vec![field << 3];
    all.extend(varint(value));
    all
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 128 {
        bytes.push(value as u8 | 128);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A float32 wire `[N, width]`.
fn wire(name: &str, width: u64) -> Vec<u8> {
    let batch = field(1, &field(2, b"N"));
    let width = field(1, &number(1, width));
    let tensor_type = [number(1, 1), field(2, &[batch, width].concat())].concat();
    [field(1, name.as_bytes()), field(2, &field(1, &tensor_type))].concat()
}

/// A node `output = op(inputs)`, named after its output.
pub(crate) fn node(op: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    let inputs = inputs.iter().flat_map(|input| field(1, input.as_bytes()));
    let rest = [field(2, output.as_bytes()), field(3, output.as_bytes()), field(4, op.as_bytes())].concat();
    inputs.chain(rest).collect()
}

/// A float32 initializer `[width]` whose numbers lie in another file.
pub(crate) fn external(name: &str, width: u64, location: &str) -> Vec<u8> {
    let location = [field(1, b"location"), field(2, location.as_bytes())].concat();
    [number(1, width), number(2, 1), field(8, name.as_bytes()), field(13, &location), number(14, 1)].concat()
}

/// A model from `x` `[N, 3]` to `y` `[N, 3]`.
pub(crate) fn model(nodes: &[Vec<u8>], initializers: &[Vec<u8>]) -> Vec<u8> {
    let mut graph: Vec<u8> = nodes.iter().flat_map(|node| field(1, node)).collect();
    graph.extend(field(2, b"small"));
    graph.extend(initializers.iter().flat_map(|initializer| field(5, initializer)));
    graph.extend(field(11, &wire("x", 3)));
    graph.extend(field(12, &wire("y", 3)));
    let opset = [field(1, b""), number(2, 17)].concat();
    [number(1, 8), field(8, &opset), field(7, &graph)].concat()
}
