use super::*;
use ndarray::{Array2, arr2};

const DIVERGING: HeatmapOptions = HeatmapOptions {
    palette: Palette::Diverging,
    ground: Ground::Picture,
    outlier_percent: 0.0,
    opacity: 0.8,
};
const SEQUENTIAL: HeatmapOptions = HeatmapOptions { palette: Palette::Sequential, ..DIVERGING };

/// Every pixel another color.
fn picture(width: u32, height: u32) -> Picture {
    Picture::new(width, height, (0..3 * width * height).map(|i| (i * 37 % 256) as u8).collect()).unwrap()
}

#[test]
fn pixels_without_attribution_stay_as_they_were() {
    let picture = picture(5, 4);
    let zeros = Array2::zeros((4, 5));
    for options in [DIVERGING, SEQUENTIAL] {
        let heatmap = overlay(&picture, zeros.view(), &options).unwrap();
        assert_eq!(heatmap.picture, picture);
        assert_eq!((heatmap.limit, heatmap.largest), (0.0, 0.0));
    }
    let mut one = zeros.clone();
    one[[3, 1]] = 2.0;
    let heatmap = overlay(&picture, one.view(), &SEQUENTIAL).unwrap();
    for (row, column) in (0..4).flat_map(|row| (0..5).map(move |column| (row, column))) {
        let same = heatmap.picture.pixel(row, column) == picture.pixel(row, column);
        assert_eq!(same, (row, column) != (3, 1), "at {row}, {column}");
    }
}

#[test]
fn each_pixel_is_the_blend_of_the_formula() {
    let picture = picture(2, 2);
    let map = arr2(&[[0.0, 1.0], [-2.0, 4.0]]);
    let heatmap = overlay(&picture, map.view(), &DIVERGING).unwrap();
    assert_eq!(heatmap.limit, 4.0);
    for ((row, column), value) in map.indexed_iter() {
        let v: f64 = value / 4.0;
        let alpha = 0.8 * v.abs().sqrt();
        let above = Palette::Diverging.color(v);
        for (channel, above) in above.into_iter().enumerate() {
            let below = f64::from(picture.pixel(row, column)[channel]);
            let expected = (1.0 - alpha) * below + alpha * f64::from(above);
            let actual = f64::from(heatmap.picture.pixel(row, column)[channel]);
            assert!((actual - expected).abs() <= 0.5, "at {row}, {column}: {actual} for {expected}");
        }
    }
}

#[test]
fn values_beyond_the_limit_look_like_the_limit() {
    let mut map = Array2::from_elem((10, 10), 1.0);
    map[[0, 0]] = 2.0;
    let gray = Picture::new(10, 10, vec![100; 300]).unwrap();
    let heatmap = overlay(&gray, map.view(), &HeatmapOptions { outlier_percent: 2.0, ..SEQUENTIAL }).unwrap();
    assert_eq!((heatmap.limit, heatmap.largest), (1.0, 2.0));
    assert_eq!(heatmap.picture.pixel(0, 0), heatmap.picture.pixel(9, 9));
}

#[test]
fn scale_does_not_matter() {
    let map = arr2(&[[0.5, -0.25], [0.125, 1.0]]);
    let draw = |factor: f64| overlay(&picture(2, 2), (&map * factor).view(), &DIVERGING).unwrap().picture;
    assert_eq!(draw(1.0), draw(1e-290));
    assert_eq!(draw(1.0), draw(1e290));
}

#[test]
fn opacity_zero_shows_the_ground_alone() {
    let picture = picture(3, 1);
    let map = arr2(&[[1.0, 2.0, 3.0]]);
    let heatmap = overlay(&picture, map.view(), &HeatmapOptions { opacity: 0.0, ..SEQUENTIAL }).unwrap();
    assert_eq!(heatmap.picture, picture);
    let pale = HeatmapOptions { opacity: 0.0, ground: Ground::PaleGray, ..SEQUENTIAL };
    let heatmap = overlay(&picture, map.view(), &pale).unwrap();
    for pixel in heatmap.picture.pixels().as_chunks::<3>().0 {
        assert!(pixel[0] == pixel[1] && pixel[1] == pixel[2] && pixel[0] >= 165, "{pixel:?}");
    }
}

#[test]
fn bad_maps_and_options_are_refused_with_their_place() {
    let picture = picture(2, 1);
    let draw = |map: Array2<f64>, options: &HeatmapOptions| overlay(&picture, map.view(), options);
    let nan = draw(arr2(&[[0.0, f64::NAN]]), &DIVERGING).unwrap_err();
    assert_eq!(nan.to_string(), "the map holds NaN at index [0, 1]; only finite numbers can be drawn");
    assert!(matches!(draw(arr2(&[[f64::INFINITY, 0.0]]), &DIVERGING), Err(Error::NotFinite { .. })));
    assert_eq!(
        draw(arr2(&[[1.0, -2.0]]), &SEQUENTIAL),
        Err(Error::NegativeValue { row: 0, column: 1, value: -2.0 })
    );
    assert_eq!(
        draw(arr2(&[[1.0], [2.0]]), &DIVERGING),
        Err(Error::MapShape { expected: [1, 2], actual: [2, 1] })
    );
    for (outlier_percent, opacity) in
        [(100.0, 0.5), (-1.0, 0.5), (f64::NAN, 0.5), (2.0, 1.5), (2.0, f64::NAN)]
    {
        let options = HeatmapOptions { outlier_percent, opacity, ..DIVERGING };
        assert!(matches!(draw(arr2(&[[1.0, 2.0]]), &options), Err(Error::OptionRange { .. })));
    }
}
