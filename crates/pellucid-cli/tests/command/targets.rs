//! Targets beyond classes: a class over a mask, the similarity of embeddings.

use serde_json::Value;

use crate::bad_input::npy;
use crate::{Folder, assert_fails, fixture, run, stdout};

/// What `pellucid explain MODEL row.npy … --json` tells of a U-Net, whose feature maps and embedding are outputs here.
struct Trial {
    folder: Folder,
    model: String,
    row: String,
}

/// Twelve features of every place, `[N, 12, height, width]`.
const PLACES: &str = "/up2/up2.2/Relu_output_0";
/// Their means over the places, `[N, 12]`.
const MEANS: &str = "/ReduceMean_output_0";

impl Trial {
    fn new() -> Self {
        let folder = Folder::new();
        let model = fixture("gradients/unet.script.onnx");
        let side = 32;
        let numbers: Vec<f32> = (0..3 * side * side).map(|i| (i as f32 * 0.37).sin()).collect();
        let row = folder.write("row.npy", npy(&format!("(1, 3, {side}, {side})"), &numbers));
        Self { folder, model, row }
    }

    fn arguments<'a>(&'a self, output: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let own = ["explain", &self.model, &self.row, "--output", output, "--method", "saliency"];
        [&own[..], more].concat()
    }

    fn json(&self, output: &str, more: &[&str]) -> Value {
        let text = stdout(&run(&[&self.arguments(output, more)[..], &["--json"]].concat()));
        serde_json::from_str(&text).expect("JSON alone")
    }
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Array(parts) => number(&parts[0]),
        number => number.as_f64().expect("a number"),
    }
}

/// A gray PNG file of a square, its pixels stored as they are.
fn png(side: u8, pixels: &[u8]) -> Vec<u8> {
    let rows: Vec<u8> = pixels.chunks(side.into()).flat_map(|row| [&[0], row].concat()).collect();
    let (a, b) = rows.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65521;
        (a, (b + a) % 65521)
    });
    let length = (rows.len() as u16).to_le_bytes();
    let complement = (!(rows.len() as u16)).to_le_bytes();
    let adler = (b << 16 | a).to_be_bytes();
    let data = [&[0x78, 0x01, 1], &length[..], &complement, &rows, &adler].concat();
    let header = [0, 0, 0, side, 0, 0, 0, side, 8, 0, 0, 0, 0];
    let chunks = [chunk(b"IHDR", &header), chunk(b"IDAT", &data), chunk(b"IEND", &[])].concat();
    [&b"\x89PNG\r\n\x1a\n"[..], &chunks].concat()
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let named = [&name[..], data].concat();
    let by_bit = |crc: u32, _| crc >> 1 ^ (0xEDB8_8320 & 0_u32.wrapping_sub(crc & 1));
    let crc = !named.iter().fold(!0_u32, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), by_bit));
    [&(data.len() as u32).to_be_bytes()[..], &named, &crc.to_be_bytes()].concat()
}

#[test]
fn a_mask_may_be_a_picture() {
    let trial = Trial::new();
    let inside = |i: usize| i % 32 > 20 && i / 32 < 9;
    let pixels: Vec<u8> = (0..1024).map(|i| if inside(i) { 3 } else { 0 }).collect();
    let numbers: Vec<f32> = (0..1024).map(|i| f32::from(u8::from(inside(i)))).collect();
    let picture = trial.folder.write("mask.png", png(32, &pixels));
    let array = trial.folder.write("mask.npy", npy("(32, 32)", &numbers));
    let of = |mask: &str| trial.json(PLACES, &["--target", &format!("mask:3:{mask}")]);
    let (by_picture, by_array) = (of(&picture), of(&array));
    assert_eq!(by_picture["values"], by_array["values"]);
    assert_eq!(by_picture["outputs"], by_array["outputs"]);
    let refused = |name: &str, bytes: Vec<u8>, code: i32, parts: &[&str]| {
        let target = format!("mask:3:{}", trial.folder.write(name, bytes));
        assert_fails(&trial.arguments(PLACES, &["--target", &target]), code, parts);
    };
    refused("small.png", png(4, &[1; 16]), 2, &["[4, 4]", "places [32, 32]"]);
    refused("black.png", png(32, &[0; 1024]), 2, &["the mask is empty"]);
    refused("broken.png", b"no image".to_vec(), 3, &["broken.png", "no PNG"]);
}

#[test]
fn a_class_of_every_place_is_explained_over_a_mask() {
    let trial = Trial::new();
    let highest = trial.json(PLACES, &[]);
    let class = highest["target"]["indices"][0][0].as_u64().expect("a class").to_string();
    assert_eq!(highest["predictions"][0][0]["index"].to_string(), class);
    // The class by its number is the same as the highest, over the places where it is predicted.
    let named = trial.json(PLACES, &["--target", &class]);
    assert_eq!((&named["values"], &named["outputs"]), (&highest["values"], &highest["outputs"]));
    // Over all places it is the mean times their number.
    let mask = trial.folder.write("mask.npy", npy("(32, 32)", &[1.0; 1024]));
    let everywhere = trial.json(PLACES, &["--target", &format!("mask:{class}:{mask}")]);
    let mean = trial.json(MEANS, &["--target", &class]);
    let (sum, mean) = (number(&everywhere["outputs"]), number(&mean["outputs"]));
    assert!((sum - 1024.0 * mean).abs() < 1e-3 * sum.abs(), "{sum} {mean}");
    assert!(number(&highest["outputs"]) < sum);
    assert_fails(&trial.arguments(PLACES, &["--target", "12"]), 2, &["target 12", "outputs 0 to 11"]);
    assert_fails(&trial.arguments(PLACES, &["--target", "3-1"]), 2, &["is no class"]);
    assert_fails(&trial.arguments(PLACES, &["--target", "mask:3"]), 2, &["mask:CLASS:FILE"]);
    let small = trial.folder.write("small.npy", npy("(4, 4)", &[1.0; 16]));
    let target = format!("mask:3:{small}");
    assert_fails(&trial.arguments(PLACES, &["--target", &target]), 2, &["[4, 4]", "places [32, 32]"]);
    assert_fails(&trial.arguments(MEANS, &["--target", &target]), 2, &["every place of an image"]);
}

#[test]
fn an_embedding_is_explained_by_what_it_is_like() {
    let trial = Trial::new();
    let itself = trial.json(MEANS, &["--target", &format!("cosine:{}", trial.row)]);
    assert!((number(&itself["outputs"]) - 1.0).abs() < 1e-5, "an input is like itself");
    assert_eq!(
        (&itself["output_space"], &itself["target"]["asked"]),
        (&"value".into(), &"cosine:row.npy".into())
    );
    let mut vector = [0.0; 12];
    vector[4] = 2.0;
    let vector = trial.folder.write("vector.npy", npy("(12,)", &vector));
    let product = trial.json(MEANS, &["--target", &format!("dot:{vector}")]);
    let single = trial.json(MEANS, &["--target", "4"]);
    assert!((number(&product["outputs"]) - 2.0 * number(&single["outputs"])).abs() < 1e-6);
    let other = trial.folder.write("other.npy", npy("(5,)", &[1.0; 5]));
    let target = format!("cosine:{other}");
    assert_fails(
        &trial.arguments(MEANS, &["--target", &target]),
        2,
        &["[5]", "embedding [12]", "[3, 32, 32]"],
    );
    let compiled = trial.folder.text("similar.onnx");
    let target = format!("cosine:{vector}");
    let compile = |output, target| {
        [
            "compile",
            &trial.model,
            "--output",
            output,
            "--method",
            "saliency",
            "--target",
            target,
            "--out",
            &compiled,
        ]
    };
    stdout(&run(&compile(MEANS, &target)));
    assert_fails(&compile(PLACES, "3"), 4, &["over a mask", "cannot be compiled"]);
}
