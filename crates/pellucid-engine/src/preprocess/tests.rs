use ndarray::{Array3, array};

use super::*;

fn imagenet() -> Preprocess {
    serde_json::from_str(
        r#"{"color": "rgb", "resize": {"shorter_side": 256}, "resample": "bicubic", "crop": {"width": 224, "height": 224},
            "range": [0, 255], "mean": [127, 127, 127], "std": [128, 128, 128], "layout": "nchw"}"#,
    )
    .unwrap()
}

#[test]
fn a_file_says_what_is_done() {
    let preprocess = imagenet();
    assert_eq!(preprocess.resize, Some(Resize::ShorterSide(256)));
    assert_eq!(preprocess.crop, Some(Size { width: 224, height: 224 }));
    let again: Preprocess = serde_json::from_str(&serde_json::to_string(&preprocess).unwrap()).unwrap();
    assert_eq!(again, preprocess);
    assert_eq!(preprocess.image_values().black, [-127.0 / 128.0; 3]);
    assert_eq!(preprocess.image_values().white, [1.0; 3]);
}

#[test]
fn what_a_file_does_not_know_is_refused() {
    let check = |text: &str, part: &str| {
        let error = serde_json::from_str::<Preprocess>(text).unwrap_err().to_string();
        assert!(error.contains(part), "{error:?} without {part:?}");
    };
    check(r#"{"colour": "rgb"}"#, "unknown field `colour`");
    check(r#"{"resample": "cubic"}"#, "unknown variant `cubic`");
    check(r#"{"resize": {"shorter_side": 3, "width": 4}}"#, "either `shorter_side`");
}

#[test]
fn options_go_before_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("net.onnx");
    assert_eq!(Preprocess::find(&model, &PreprocessOptions::default()).unwrap(), None);
    std::fs::write(folder.path().join("net.preprocess.json"), serde_json::to_string(&imagenet()).unwrap())
        .unwrap();
    let options = PreprocessOptions { crop: Some("192".parse().unwrap()), ..PreprocessOptions::default() };
    let found = Preprocess::find(&model, &options).unwrap().unwrap();
    assert_eq!(found, Preprocess { crop: Some(Size { width: 192, height: 192 }), ..imagenet() });
    let wrong = PreprocessOptions { std: Some(vec![1.0, 2.0]), ..PreprocessOptions::default() };
    let error = Preprocess::find(&model, &wrong).unwrap_err().to_string();
    assert!(error.contains("`std` has 2 numbers for 3 channels"), "{error}");
}

#[test]
fn a_row_shows_the_pixels_it_was_made_from() {
    let pixels = Array3::from_shape_fn((4, 5, 3), |(y, x, c)| (y * 60 + x * 10 + c) as u8);
    for layout in [Layout::Nchw, Layout::Nhwc] {
        let preprocess = Preprocess {
            mean: vec![0.485, 0.456, 0.406],
            std: vec![0.229, 0.224, 0.225],
            layout,
            ..Preprocess::default()
        };
        let row = preprocess.row_of_pixels(&pixels);
        let picture = preprocess.picture_of_row(row.view()).unwrap();
        assert_eq!(picture.pixels(), pixels.iter().copied().collect::<Vec<u8>>());
    }
    let gray = Preprocess { color: Color::Gray, ..Preprocess::default() };
    let row = gray.row_of_pixels(&Array3::from_elem((1, 2, 1), 51));
    assert_eq!(row, array![[[0.2f32, 0.2]]].into_dyn());
    assert_eq!(gray.picture_of_row(row.view()).unwrap().pixels(), [51; 6]);
    assert_eq!(gray.picture_of_row(array![[0.0f32]].into_dyn().view()), None);
}
