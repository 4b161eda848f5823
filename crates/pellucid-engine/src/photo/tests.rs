use std::path::PathBuf;

use ndarray::array;

use super::*;
use crate::npz::Npz;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// The rows that Pillow made of the five photos, `[5, 3, 224, 224]`.
fn rows_by_pillow() -> ArrayD<f64> {
    let bytes = std::fs::read(fixtures().join("models/efficientnet_lite0_imagenet.sample.npz")).unwrap();
    let mut npz = Npz::open(&bytes).unwrap();
    let name = npz.names().into_iter().find(|name| name.starts_with("in_")).unwrap();
    npz.array(&name).unwrap()
}

fn imagenet() -> Preprocess {
    let model = fixtures().join("models/efficientnet_lite0_imagenet.onnx");
    Preprocess::find(&model, &Default::default()).unwrap().unwrap()
}

#[test]
fn photos_become_the_rows_that_pillow_makes_of_them() {
    let rows = rows_by_pillow();
    let preprocess = imagenet();
    let photos = ["chelsea.png", "coffee.png", "astronaut.png", "rocket.jpg", "flower.jpg"];
    for (name, expected) in photos.iter().zip(rows.axis_iter(Axis(0))) {
        let photo = Photo::read(&fixtures().join("photos").join(name)).unwrap();
        let row = photo.prepare(&preprocess).unwrap().row.mapv(f64::from);
        // In pixel values: std is 128.
        let distance = (&row - &expected).mapv(|d| (d * 128.0).abs());
        let largest = distance.iter().copied().fold(0.0, f64::max);
        let mean = distance.mean().unwrap();
        // JPEG leaves the rounding of its cosines to the decoder.
        let (limit, mean_limit) = if name.ends_with(".png") { (0.0, 0.0) } else { (2.0, 0.02) };
        assert!(largest <= limit && mean <= mean_limit, "{name}: {largest}, mean {mean}");
    }
}

#[test]
fn the_crop_is_found_again_on_the_photo() {
    let photo = Photo { pixels: Array3::zeros((300, 451, 3)), warnings: Vec::new() };
    let prepared = photo.prepare(&imagenet()).unwrap();
    assert_eq!(prepared.row.shape(), [3, 224, 224]);
    // Resized to 385 × 256, then 80 and 16 pixels are left out at left and top.
    let expected = [80.0 * 451.0 / 385.0, 16.0 * 300.0 / 256.0, 304.0 * 451.0 / 385.0, 240.0 * 300.0 / 256.0];
    for (edge, expected) in prepared.crop_box.iter().zip(expected) {
        assert!((edge - expected).abs() < 1e-9, "{:?}", prepared.crop_box);
    }
}

#[test]
fn gray_is_luma() {
    let pixels = array![[[255u8, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]];
    assert_eq!(gray(&pixels), array![[[76u8], [150], [29], [255]]]);
}

#[test]
fn impossible_sizes_are_refused() {
    let photo = Photo { pixels: Array3::zeros((10, 10_000, 3)), warnings: Vec::new() };
    let check = |preprocess: Preprocess, part: &str| {
        let error = photo.prepare(&preprocess).unwrap_err().to_string();
        assert!(error.contains(part), "{error:?} without {part:?}");
    };
    let plain = Preprocess::default;
    check(
        Preprocess { crop: Some(Size { width: 11, height: 11 }), ..plain() },
        "a crop of 11 × 11 does not fit",
    );
    check(Preprocess { resize: Some(Resize::ShorterSide(100_000)), ..plain() }, "are more than");
    check(Preprocess { resize: Some(Resize::ShorterSide(0)), ..plain() }, "are none");
}

#[test]
fn what_is_no_image_is_refused() {
    assert!(decode(b"GIF89a").unwrap_err().contains("no readable image"));
    assert!(decode(b"hello").unwrap_err().contains("no PNG or JPEG"));
    let whole = std::fs::read(fixtures().join("photos/rocket.jpg")).unwrap();
    assert!(decode(&whole[..200]).unwrap_err().contains("no readable image"));
    let whole = std::fs::read(fixtures().join("photos/chelsea.png")).unwrap();
    assert!(decode(&whole[..whole.len() / 2]).unwrap_err().contains("no readable image"));
}

#[test]
fn transparency_is_left_out_with_a_warning() {
    let mut bytes = Cursor::new(Vec::new());
    let image = image::RgbaImage::from_pixel(2, 1, image::Rgba([10, 20, 30, 0]));
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    let photo = decode(bytes.get_ref()).unwrap();
    assert_eq!(photo.pixels, array![[[10u8, 20, 30], [10, 20, 30]]]);
    assert_eq!(photo.warnings.len(), 1);
}

#[test]
fn what_is_neither_black_nor_transparent_is_inside_a_mask() {
    let check = |image: DynamicImage, expected: &[bool]| {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        assert_eq!(mask(bytes.get_ref()).unwrap().into_raw_vec_and_offset().0, expected);
    };
    // The faintest gray of sixteen bits counts.
    check(
        image::ImageBuffer::<image::Luma<u16>, _>::from_raw(3, 1, vec![0, 1, 65535]).unwrap().into(),
        &[false, true, true],
    );
    check(image::RgbImage::from_raw(2, 1, vec![0, 0, 1, 0, 0, 0]).unwrap().into(), &[true, false]);
    check(image::RgbaImage::from_raw(1, 2, vec![9, 9, 9, 0, 9, 9, 9, 1]).unwrap().into(), &[false, true]);
    assert!(mask(b"no image").unwrap_err().contains("no PNG"));
}
