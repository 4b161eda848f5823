//! The files of the zoo, each read once for each runtime and kept for all tests.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ndarray::{ArrayD, Axis};
use pellucid_core::{Model, Target};
use pellucid_explain::token_model::{Reading, TokenModel, Tokens};
use pellucid_explain::{Network, network};
use pellucid_graph::{Graph, Runtime, Tensor, evaluate_wires, onnx};

use super::runtimes::Named;
use super::{array, fixtures, relative_l2, rows, targets};
use crate::npz;

/// The folders of the zoo: networks of one float input, of token ids, of numbers and categories.
const FOLDERS: [&str; 3] = ["gradients", "tokens", "tables"];

/// A file of the zoo on one runtime.
pub(super) struct Subject {
    /// Its folder and name.
    pub(super) file: String,
    /// A network for each input that there are references of: one, or for token models one a text, or for tables one a
    /// row and kind of column.
    pub(super) parts: Vec<Part>,
    /// All of the file's references.
    pub(super) references: BTreeMap<String, Tensor>,
}

/// A network, rows for it, and what PyTorch says of them in float64.
pub(super) struct Part {
    pub(super) network: Arc<Network>,
    pub(super) rows: ArrayD<f32>,
    pub(super) target: Target,
    pub(super) gradient: ArrayD<f64>,
    /// How far PyTorch's gradient in float32 is from it.
    pub(super) of_float32: f64,
    pub(super) integrated: ArrayD<f64>,
}

impl Subject {
    /// The first part, which stands for all where a method takes long.
    pub(super) fn first(&self) -> &Part {
        &self.parts[0]
    }

    /// A row to compare with, that is none of zeros: another of the same kind.
    pub(super) fn other_row(&self, part: usize) -> ArrayD<f32> {
        let own = &self.parts[part].rows;
        let same_kind = |other: &&Part| other.rows.shape() == own.shape() && other.rows != *own;
        match own.len_of(Axis(0)) {
            1 => self
                .parts
                .iter()
                .find(same_kind)
                .expect("several rows")
                .rows
                .index_axis(Axis(0), 0)
                .to_owned(),
            _ => own.index_axis(Axis(0), 1).to_owned(),
        }
    }
}

impl Part {
    /// The target of the first row alone.
    pub(super) fn first_target(&self) -> Target {
        match &self.target {
            Target::PerRow(indices) => Target::Index(indices[0]),
            other => other.clone(),
        }
    }
}

/// All files, `FOLDER/NAME.EXPORTER.onnx`.
pub(super) fn files() -> Vec<String> {
    let in_folder = |folder: &str| {
        let files = std::fs::read_dir(fixtures().join(folder)).expect("committed fixtures").flatten();
        let names = files.filter_map(|file| file.file_name().into_string().ok());
        names
            .filter(|name| name.ends_with(".onnx"))
            .map(|name| format!("{folder}/{name}"))
            .collect::<Vec<_>>()
    };
    let mut files: Vec<String> = FOLDERS.into_iter().flat_map(in_folder).collect();
    files.sort();
    assert!(files.len() > 60, "{files:?}");
    files
}

type Known = Mutex<BTreeMap<(&'static str, String), Arc<OnceLock<Arc<Subject>>>>>;

/// A file on a runtime. Sessions that one test made serve the others.
pub(super) fn subject(file: &str, on: &Named) -> Arc<Subject> {
    static KNOWN: Known = Mutex::new(BTreeMap::new());
    let key = (on.name, file.to_owned());
    let place = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone();
    place.get_or_init(|| Arc::new(read(file, &on.runtime))).clone()
}

/// A file on a runtime for one test alone, whose sessions go with it: those that look at every node are large, and of use
/// to no other test.
pub(super) fn subject_alone(file: &str, on: &Named) -> Subject {
    read(file, &on.runtime)
}

fn read(file: &str, runtime: &Arc<dyn Runtime>) -> Subject {
    let path = fixtures().join(file);
    let graph = onnx::read(&path).unwrap_or_else(|error| panic!("{file}: {error}")).graph;
    let name = file.split('.').next().expect("a name");
    let references = npz::load(&fixtures().join(format!("{name}.npz")));
    let parts = match Path::new(file).parent().and_then(Path::to_str) {
        Some("tokens") => texts(&graph, &references, runtime),
        Some("tables") => columns(&graph, &references, runtime),
        _ => vec![one_input(&graph, &references, runtime)],
    };
    Subject { file: file.to_owned(), parts, references }
}

fn one_input(graph: &Graph, references: &BTreeMap<String, Tensor>, runtime: &Arc<dyn Runtime>) -> Part {
    let rows = rows(&references["input"]);
    let options = network::Options { input_shape: Some(rows.shape()[1..].to_vec()), ..Default::default() };
    let network = Network::new(graph, runtime.clone(), &options).expect("an ordinary network");
    let [gradient, in_float32] = ["gradient", "gradient_f32"].map(|key| array(&references[key]));
    // captum knows no Keras.
    let integrated = references.get("ig_captum").unwrap_or_else(|| &references["integrated"]);
    Part {
        network: Arc::new(network),
        rows,
        target: targets(&references["target"]),
        of_float32: relative_l2(&in_float32, &gradient),
        gradient,
        integrated: array(integrated),
    }
}

/// A part for each text, of the vectors that its ids stand for.
fn texts(graph: &Graph, references: &BTreeMap<String, Tensor>, runtime: &Arc<dyn Runtime>) -> Vec<Part> {
    let options = network::Options::default();
    let model = TokenModel::new(graph, runtime.clone(), &options).expect("an ordinary token model");
    let token = references.get("token").map(|token| token.to_f64s()[0] as usize);
    let part = |row: usize| {
        let ids = row_of(&references["input_ids"], row);
        let other = |key: &str| references.get(key).map(|tensor| row_of(tensor, row));
        let plain = Tokens::plain(ids);
        let tokens = Tokens {
            attention_mask: other("attention_mask").unwrap_or_else(|| plain.attention_mask.clone()),
            type_ids: other("token_type_ids").unwrap_or_else(|| plain.type_ids.clone()),
            ..plain
        };
        let reading = Reading { token, log_probability: false };
        let network = model.network(&tokens, reading).expect("an ordinary text");
        let vectors = model.vectors(&tokens.ids).expect("known ids").insert_axis(Axis(0)).into_dyn();
        let [input, gradient, in_float32, integrated] = ["input", "gradient", "gradient_f32", "ig_captum"]
            .map(|key| array(&references[key]).slice_axis(Axis(0), (row..=row).into()).to_owned());
        assert_eq!(vectors, input.mapv(|x| x as f32), "PyTorch's embedding of the same ids");
        Part {
            network,
            rows: vectors,
            target: Target::Index(row_of(&references["target"], row)[0] as usize),
            of_float32: relative_l2(&in_float32, &gradient),
            gradient,
            integrated,
        }
    };
    (0..references["input_ids"].shape()[0]).map(part).collect()
}

/// Two parts for each row: of its numbers while its codes are fixed, and of its codes' vectors while its numbers are.
fn columns(graph: &Graph, references: &BTreeMap<String, Tensor>, runtime: &Arc<dyn Runtime>) -> Vec<Part> {
    let n_rows = references["numbers"].shape()[0];
    let one =
        |key: &str, row: usize| array(&references[key]).slice_axis(Axis(0), (row..=row).into()).to_owned();
    let part = |row: usize, of: &str| -> Option<Part> {
        let numbers = one("numbers", row);
        let numbers = Tensor::f32(numbers.shape(), numbers.iter().map(|x| *x as f32).collect());
        let codes = row_of(&references["codes"], row);
        let codes = Tensor::i64(&[1, codes.len()], codes);
        let rows = one(of, row).mapv(|x| x as f32);
        let start = match of {
            "numbers" => of.to_owned(),
            // torch's older exporter lays the vectors straight beside the numbers: no wire holds them alone.
            _ => wire_with(graph, &[numbers.clone(), codes.clone()], &rows)?,
        };
        let fixed = [("numbers".to_owned(), numbers), ("codes".to_owned(), codes)].into();
        let options = network::Options { start: Some(start), fixed, ..Default::default() };
        let network = Network::new(graph, runtime.clone(), &options).expect("an ordinary network");
        assert_eq!(network.input_shape(), &rows.shape()[1..]);
        let [gradient, in_float32, integrated] =
            ["gradient", "gradient_f32", "ig_captum"].map(|key| one(&format!("{of}_{key}"), row));
        Some(Part {
            network: Arc::new(network),
            rows,
            target: Target::Index(row_of(&references["target"], row)[0] as usize),
            of_float32: relative_l2(&in_float32, &gradient),
            gradient,
            integrated,
        })
    };
    let all = ["numbers", "vectors"].into_iter().flat_map(|of| (0..n_rows).map(move |row| (row, of)));
    let parts: Vec<Part> = all.filter_map(|(row, of)| part(row, of)).collect();
    assert!(parts.len() == n_rows || parts.len() == 2 * n_rows);
    parts
}

/// The name of the wire that holds these values.
fn wire_with(graph: &Graph, inputs: &[Tensor], expected: &ArrayD<f32>) -> Option<String> {
    let wires: Vec<_> =
        graph.nodes().iter().flat_map(|node| node.outputs.iter().flatten().copied()).collect();
    let tensors = evaluate_wires(graph, inputs, &wires).expect("runs");
    let holds = |tensor: &Tensor| tensor.shape() == expected.shape() && rows(tensor) == *expected;
    tensors.iter().position(holds).map(|place| graph.name_of(wires[place]).to_owned())
}

fn row_of(tensor: &Tensor, row: usize) -> Vec<i64> {
    let length = tensor.len() / tensor.shape()[0];
    tensor.to_f64s()[row * length..(row + 1) * length].iter().map(|x| *x as i64).collect()
}
