use super::*;
use ndarray::{Array3, Axis};

/// A photo of 38 × 57 pixels, and what scikit-image makes of it: `fixtures/makers/segments.py`.
const CHELSEA: &str = include_str!("../../../../fixtures/segments/chelsea.csv");

fn column(name: &str) -> Vec<usize> {
    let mut lines = CHELSEA.lines().skip(1);
    let place =
        lines.next().expect("names").split(',').position(|column| column == name).expect("the column");
    lines.map(|line| line.split(',').nth(place).expect("a cell").parse().expect("a number")).collect()
}

fn chelsea() -> Array3<f64> {
    let channels = ["red", "green", "blue"].map(column);
    Array3::from_shape_fn((38, 57, 3), |(y, x, channel)| channels[channel][y * 57 + x] as f64 / 255.0)
}

fn check(segments: Array2<usize>, case: &str) {
    let expected = Array2::from_shape_vec((38, 57), column(case)).expect("as many pixels");
    assert_eq!(segments, renumbered(&expected), "{case}");
}

#[test]
fn quickshift_is_scikit_images() {
    let image = chelsea();
    check(quickshift(image.view(), &Quickshift::default()).expect("segments"), "quickshift_lime");
    let fine = Quickshift { kernel_size: 2.0, max_distance: 6.0, ratio: 0.5 };
    check(quickshift(image.view(), &fine).expect("segments"), "quickshift_fine");
}

#[test]
fn slic_is_scikit_images() {
    let image = chelsea();
    let with = |n_segments, compactness| Slic { n_segments, compactness, ..Slic::default() };
    check(slic(image.view(), &with(20, 10.0)).expect("segments"), "slic_20");
    check(slic(image.view(), &with(60, 1.0)).expect("segments"), "slic_60_loose");
}

/// sRGB red in L*a*b*, as every table of colors has it.
#[test]
fn red_is_where_tables_have_it() {
    let red = Array3::from_shape_fn((1, 1, 3), |(_, _, channel)| f64::from(u8::from(channel == 0)));
    let lab = lab::lab_from_rgb(red.view());
    for (value, expected) in lab.iter().zip([53.24, 80.09, 67.20]) {
        assert!((value - expected).abs() < 0.02, "{lab}");
    }
}

#[test]
fn segments_are_connected_and_numbered_without_a_gap() {
    let image = chelsea();
    for n_segments in [1, 2, 7, 300, 5000] {
        let segments = slic(image.view(), &Slic { n_segments, ..Slic::default() }).expect("segments");
        let n = segments.iter().max().expect("pixels") + 1;
        assert!(crate::masker::Groups::new(segments.clone().into_dyn()).is_ok());
        let mut seen = Array2::from_elem(segments.raw_dim(), false);
        let mut n_parts = 0;
        for start in ndarray::indices(segments.raw_dim()) {
            if seen[start] {
                continue;
            }
            n_parts += 1;
            let mut waiting = vec![start];
            while let Some((y, x)) = waiting.pop() {
                if std::mem::replace(&mut seen[[y, x]], true) {
                    continue;
                }
                let near = [(y.wrapping_sub(1), x), (y + 1, x), (y, x.wrapping_sub(1)), (y, x + 1)];
                waiting
                    .extend(near.into_iter().filter(|&next| segments.get(next) == Some(&segments[[y, x]])));
            }
        }
        assert_eq!(n_parts, n, "{n_segments}");
    }
}

#[test]
fn flat_and_gray_images_have_segments() {
    let flat = Array3::from_elem((9, 12, 3), 0.5);
    let segments = slic(flat.view(), &Slic { n_segments: 12, ..Slic::default() }).expect("segments");
    assert_eq!(segments.iter().max(), Some(&11));
    assert_eq!(quickshift(flat.view(), &Quickshift::default()).expect("segments").iter().max(), Some(&0));
    let gray = chelsea().select(Axis(2), &[0]);
    assert!(slic(gray.view(), &Slic::default()).is_ok());
    assert!(
        quickshift(gray.view(), &Quickshift::default()).expect_err("a refusal").to_string().contains("red")
    );
}

#[test]
fn grids_share_pixels_out() {
    let segments = grid(5, 4, 2, 2).expect("segments");
    let expected = ndarray::array![[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]];
    assert_eq!(segments, expected);
    assert!(grid(2, 2, 3, 1).expect_err("a refusal").to_string().contains("3 × 1 rectangles"));
    assert!(grid(2, 2, 0, 1).is_err());
}

#[test]
fn what_is_no_image_is_refused() {
    let options = Slic::default();
    assert!(slic(Array3::zeros((0, 4, 3)).view(), &options).is_err());
    let mut broken = chelsea();
    broken[[1, 2, 0]] = f64::NAN;
    assert!(slic(broken.view(), &options).expect_err("a refusal").to_string().contains("NaN at [1, 2, 0]"));
    assert!(slic(chelsea().view(), &Slic { n_segments: 0, ..options.clone() }).is_err());
    assert!(slic(chelsea().view(), &Slic { compactness: 0.0, ..options }).is_err());
    let sharp = Quickshift { kernel_size: 0.5, ..Quickshift::default() };
    assert!(quickshift(chelsea().view(), &sharp).expect_err("a refusal").to_string().contains("kernel_size"));
}
