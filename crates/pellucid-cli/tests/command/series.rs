//! Time series: stretches and windows as players, what stands where they are absent, pictures.

use crate::tables::explained;
use crate::{Folder, assert_fails, fixture, run, stdout};

fn files() -> [String; 2] {
    [fixture("models/seattle_weather.onnx"), fixture("data/seattle_weather.csv")]
}

fn arguments<'a>(files: &'a [String; 2], more: &[&'a str]) -> Vec<&'a str> {
    [&["explain", files[0].as_str(), files[1].as_str(), "--target", "1"], more].concat()
}

#[test]
fn stretches_of_channels_are_explained_and_drawn() {
    let (files, folder) = (files(), Folder::new());
    let out = folder.text("out");
    let more = [
        "--method",
        "kernel-shap",
        "--segments",
        "4",
        "--channels",
        "apart",
        "--baseline",
        "interpolated",
        "--out",
        &out,
    ];
    let text = stdout(&run(&arguments(&files, &more)));
    let strongest = ", steps 21 to 27 ";
    // By softmax of what the network gives.
    for part in
        ["players stretches:4 of each channel", "baseline interpolated", "rain tomorrow 61.7 %", strongest]
    {
        assert!(text.contains(part), "{text}\nwithout {part:?}");
    }
    let names = folder.names("out");
    for name in ["series-0-seattle-weather.png", "series-1-seattle-weather.svg", "explanation.npz"] {
        assert!(names.iter().any(|known| known == name), "{names:?} without {name}");
    }
    let svg =
        std::fs::read_to_string(folder.path("out").join("series-0-seattle-weather.svg")).expect("written");
    assert!(svg.contains("precipitation (mm), steps 0 to 6"), "a band tells its steps");
}

/// Sixteen players have 65,536 coalitions; with two stretches all methods may ask about all of them, and agree.
#[test]
fn values_are_of_stretches_and_add_up() {
    let files = files();
    let of = |method: &str, baseline: &str| {
        let more =
            ["--method", method, "--segments", "2", "--channels", "apart", "--baseline", baseline, "--json"];
        explained(&arguments(&files, &more))
    };
    for baseline in ["zeros", "channel-means", "stretch-means", "interpolated", "inpaint"] {
        let (exact, kernel) = (of("exact-shap", baseline), of("kernel-shap", baseline));
        assert_eq!(exact.values.shape(), [2, 28, 4]);
        // A stretch's steps all have its value, whole.
        assert_eq!(exact.values[[0, 0, 0]], exact.values[[0, 13, 0]]);
        assert_ne!(exact.values[[0, 0, 0]], exact.values[[0, 14, 0]]);
        let gap = (&exact.values - &kernel.values).iter().fold(0.0, |most: f64, gap| most.max(gap.abs()));
        assert!(gap < 1e-5, "{baseline}: {gap}");
        let delta = exact.convergence_delta.expect("promised");
        assert!(delta.iter().all(|delta| delta.abs() < 1e-5), "{baseline}: {delta}");
    }
}

#[test]
fn a_window_slides_over_time() {
    let files = files();
    let of = |more: &[&str]| {
        let base = ["--method", "occlusion", "--baseline", "channel-means", "--json"];
        explained(&arguments(&files, &[&base[..], more].concat())).values
    };
    let together = of(&["--window", "7"]);
    assert_eq!(together[[0, 0, 0]], together[[0, 6, 3]]);
    assert_eq!(together, of(&["--window", "7,4"]));
    let apart = of(&["--window", "7", "--channels", "apart"]);
    assert_eq!(apart[[0, 0, 0]], apart[[0, 6, 0]]);
    assert_ne!(apart[[0, 0, 0]], apart[[0, 0, 3]]);
    assert_eq!(apart, of(&["--window", "7,1"]));
}

/// Stretches of equal length are those of every row, so that what stands for them can be averaged; masks go over time.
#[test]
fn a_background_of_series_is_averaged_and_masks_go_over_time() {
    let files = files();
    let of = |more: &[&str]| explained(&arguments(&files, &[more, &["--json"]].concat()));
    let averaged = of(&["--method", "exact-shap", "--segments", "4", "--background", &files[1]]);
    // The mean over both series of what the network says of them.
    let base_values = averaged.base_values.expect("promised");
    assert!((base_values[[0]] - averaged.outputs.sum() / 2.0).abs() < 1e-5);
    assert!(averaged.convergence_delta.expect("promised").iter().all(|delta| delta.abs() < 1e-5));
    assert_fails(
        &arguments(&files, &["--method", "lime", "--segments", "changes:4", "--background", &files[1]]),
        2,
        &["differ from row to row"],
    );
    let masks = of(&["--method", "rise", "--n-samples", "50"]).values;
    assert_eq!(masks[[0, 3, 0]], masks[[0, 3, 3]]);
    assert_ne!(masks[[0, 3, 0]], masks[[0, 20, 0]]);
}

/// Every step matters for itself to a gradient, and the picture is the same kind.
#[test]
fn gradients_of_series_are_drawn_too() {
    let (files, folder) = (files(), Folder::new());
    let out = folder.text("out");
    stdout(&run(&arguments(&files, &["--method", "integrated-gradients", "--out", &out])));
    assert!(folder.path("out").join("series-0-seattle-weather.png").exists());
}

#[test]
fn what_is_no_series_is_refused() {
    let (files, folder) = (files(), Folder::new());
    let check = |more: &[&str], code: i32, parts: &[&str]| {
        assert_fails(&arguments(&files, &[&["--method", "lime"], more].concat()), code, parts);
    };
    check(&["--segments", "stretches:29"], 2, &["29 are more than the 28 steps"]);
    check(&["--segments", "0"], 2, &["no number of segments"]);
    check(&["--segments", "4", "--channels", "alone"], 2, &["together, apart"]);
    check(&["--segments", "4", "--time-axis", "2"], 2, &["the axes 0 and 1"]);
    check(&["--baseline", "interpolated"], 2, &["--segments stretches:10"]);
    check(&["--channels", "apart"], 2, &["channels: are of stretches or windows"]);
    check(&["--segments", "slic"], 2, &["is for images"]);
    let digits = [fixture("models/mnist_cnn.onnx"), fixture("models/mnist_cnn.sample.npz")];
    let of_images = ["--array", "in_image", "--method", "lime", "--channels", "apart"];
    assert_fails(&arguments(&digits, &of_images), 2, &["channels: is of series"]);
    let narrow = folder.write("narrow.csv", "a,b\n1,2\n");
    assert_fails(
        &["explain", &files[0], &narrow, "--method", "lime", "--segments", "4"],
        3,
        &["narrow.csv", "has 1 lines of 2 columns", "a line a step and a column a channel"],
    );
    let constant = folder.write("constant.csv", format!("a,b,c,d\n{}", "1,2,3,4\n".repeat(28)));
    let asked = ["explain", &files[0], &constant, "--method", "lime", "--segments"];
    assert_fails(&[&asked[..], &["4", "--baseline", "channel-means"]].concat(), 2, &["row 0 is constant"]);
    assert_fails(&[&asked[..], &["changes:4"]].concat(), 2, &["changes nowhere; take stretches:N"]);
    assert_fails(&arguments(&files, &["--channels", "apart"]), 2, &["channels: is for methods"]);
}
