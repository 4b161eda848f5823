use std::fs;

use ndarray::array;

use super::*;
use crate::npz;

fn options(input_shape: &[usize]) -> ReadOptions<'_> {
    ReadOptions { input_shape, input_name: "image", ..ReadOptions::default() }
}

#[test]
fn arrays_and_tables_stand_one_below_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one.npy"), folder.path().join("two.npz"));
    fs::write(&one, npy::bytes(&array![1.0f32, 2.0].into_dyn())).unwrap();
    let arrays = [
        ("in_image", npy::bytes(&array![[3i64, 4], [5, 6]].into_dyn())),
        ("out", npy::bytes(&array![0u8].into_dyn())),
    ];
    fs::write(&two, npz::bytes(&arrays).unwrap()).unwrap();
    let input = Input::read(&[one, two.clone()], &options(&[2])).unwrap();
    assert_eq!(input.rows, array![[1.0f32, 2.0], [3.0, 4.0], [5.0, 6.0]].into_dyn());
    assert_eq!(input.sources[2], Source { file: "two.npz".into(), row_index: 1, crop_box: None });
    assert_eq!(input.digests()[0].len(), 64);
    let unnamed = ReadOptions { input_name: "x", ..options(&[2]) };
    let error = Input::read(&[two], &unnamed).unwrap_err().to_string();
    assert!(error.contains("holds the arrays in_image, out; name one with --array"), "{error}");
}

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.npy");
    let check = |array: ArrayD<f32>, part: &str| {
        fs::write(&path, npy::bytes(&array)).unwrap();
        let error = Input::read(std::slice::from_ref(&path), &options(&[2])).unwrap_err().to_string();
        assert!(error.contains(part) && error.contains("rows.npy"), "{error:?} without {part:?}");
    };
    check(array![[1.0, 2.0, 3.0]].into_dyn(), "shape [1, 3], the model takes [rows, 2]");
    check(array![[1.0, 2.0], [0.0, f32::NAN]].into_dyn(), "holds NaN at [1, 1]");
    check(ArrayD::zeros(vec![0, 2]), "holds no rows");
}

#[test]
fn a_photo_without_preprocessing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("photo.png");
    image::RgbImage::new(2, 2).save(&path).unwrap();
    let error = Input::read(&[path], &options(&[3, 2, 2])).unwrap_err().to_string();
    assert!(error.contains("preprocess.json"), "{error}");
}

#[test]
fn unknown_kinds_are_told_from_those_to_come() {
    let unknown = Input::read(&["a.docx".into()], &options(&[2])).unwrap_err();
    assert_eq!(unknown.kind(), crate::Kind::BadInput);
    let to_come = Input::read(&["a.parquet".into()], &options(&[2])).unwrap_err();
    assert_eq!(to_come.kind(), crate::Kind::Unsupported);
}

/// A line a step and a column a channel, whichever axis the model has time on; series stand one below the other.
#[test]
fn tables_of_series_have_a_line_a_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("series.csv");
    fs::write(&path, "a,b\n1,2\n3,4\n5,6\n7,8\n9,10\n11,12\n").unwrap();
    let read = |shape: &[usize]| Input::read(std::slice::from_ref(&path), &options(shape));
    let (standing, lying) = (read(&[3, 2]).unwrap(), read(&[2, 3]).unwrap());
    assert_eq!(standing.rows.shape(), [2, 3, 2]);
    assert_eq!(lying.rows, standing.rows.clone().permuted_axes(vec![0, 2, 1]));
    assert_eq!(standing.rows[[1, 2, 0]], 11.0);
    assert_eq!((standing.feature_names.as_ref().unwrap().len(), standing.sources[1].row_index), (2, 1));
    for shape in [[4, 2], [3, 3], [5, 4]] {
        let error = read(&shape).unwrap_err().to_string();
        assert!(error.contains("has 6 lines of 2 columns") && error.contains("a line a step"), "{error}");
    }
}
