//! Class activation maps and guided backpropagation against their formulas in loops.

use ndarray::{ArrayD, Axis, IxDyn, Slice};
use pellucid_core::{Target, Work};
use pellucid_explain::Network;
use pellucid_explain::cam::{self, cam};
use pellucid_explain::guided::{guided_backprop, guided_grad_cam};
use pellucid_graph::{Tensor, evaluate, text::parse};

use super::{IMAGE, KINKED, largest, network, rows};

#[test]
fn maps_follow_their_formulas() {
    let network = network(IMAGE);
    let x = rows(2, &[1, 4, 4], 7);
    let mut n_against = 0;
    for (name, variant) in cam::Variant::NAMES {
        for relu in [true, false] {
            let options = cam::Options { variant, relu, ..Default::default() };
            let map = cam(&network, &x, &Target::Index(0), &options, &Work::default()).expect("runs");
            assert_eq!(map.values.shape(), [2, 1, 4, 4], "{name}");
            let raw = map.raw_map.expect("kept");
            assert_eq!(raw.shape(), [2, 1, 2, 2]);
            let signed = map_by_hand(&x, variant);
            n_against += signed.iter().filter(|v| **v < 0.0).count();
            let expected = if relu { signed.mapv(|v| v.max(0.0)) } else { signed };
            assert!(
                largest(&(&raw - &expected)) < 1e-6 * largest(&expected).max(1.0),
                "{name}: {raw:?} {expected:?}"
            );
        }
    }
    assert!(n_against > 0, "no place speaks against the target, so the ReLU is not seen");
}

/// The formulas once more, in loops, from the activations before the flattening and the weights behind it.
fn map_by_hand(x: &ArrayD<f32>, variant: cam::Variant) -> ArrayD<f64> {
    let mut graph = parse(IMAGE).expect("the text is a graph");
    let (layer, output) = (graph.wire("e").expect("the last feature map"), graph.outputs()[0]);
    graph.set_outputs(&[layer, output]);
    let run = |x: &ArrayD<f32>| {
        let input = Tensor::f32(x.shape(), x.iter().copied().collect());
        let outputs = evaluate(&graph, &[input]).expect("runs");
        (outputs[0].to_f64s(), outputs[1].to_f64s())
    };
    let (activations, _) = run(x);
    // Output 0 reads the flattened map with these weights: they are its gradient.
    let weights = [1.0, 0.5, -1.0, 0.8, 0.1, -0.7, 0.4, 0.9];
    let mut map = ArrayD::zeros(IxDyn(&[2, 1, 2, 2]));
    for row in 0..2 {
        let of_row = &activations[row * 8..][..8];
        for channel in 0..2 {
            let a = &of_row[channel * 4..][..4];
            let g = &weights[channel * 4..][..4];
            let sum: f64 = a.iter().sum();
            let reached: f64 = a.iter().zip(g).map(|(a, g)| a * g).sum();
            let weight = |place: usize| match variant {
                cam::Variant::GradCam => g.iter().sum::<f64>() / 4.0,
                cam::Variant::LayerCam => g[place].max(0.0),
                cam::Variant::HiResCam => g[place],
                cam::Variant::GradCamPlusPlus => {
                    g.iter().map(|g| g.max(0.0) * g * g / (2.0 * g * g + g.powi(3) * sum + 1e-6)).sum()
                }
                cam::Variant::XGradCam => reached / (sum + 1e-7),
                // What is behind the map is linear: without the channel its part is missing.
                cam::Variant::AblationCam => reached,
                cam::Variant::ScoreCam => {
                    let mut masked = x.slice_axis(Axis(0), Slice::from(row..row + 1)).to_owned();
                    masked.iter_mut().zip(mask_by_hand(a)).for_each(|(x, share)| *x *= share);
                    run(&masked).1[0] - run(&ArrayD::zeros(masked.raw_dim())).1[0]
                }
                cam::Variant::EigenCam => direction_by_hand(of_row)[channel],
            };
            let mean = if variant == cam::Variant::EigenCam { sum / 4.0 } else { 0.0 };
            for place in 0..4 {
                map[[row, 0, place / 2, place % 2]] += weight(place) * (a[place] - mean);
            }
        }
    }
    map
}

/// A map of 2 × 2 enlarged to 4 × 4 and stretched to 0…1: along an axis the shares of the first place are 1, ¾, ¼ and 0.
fn mask_by_hand(a: &[f64]) -> Vec<f32> {
    let shares = [1.0, 0.75, 0.25, 0.0];
    let mut large = Vec::new();
    for y in shares {
        for x in shares {
            large.push(y * (x * a[0] + (1.0 - x) * a[1]) + (1.0 - y) * (x * a[2] + (1.0 - x) * a[3]));
        }
    }
    let (low, high) = large.iter().fold((f64::MAX, f64::MIN), |(low, high), &v| (v.min(low), v.max(high)));
    large.iter().map(|v| if high > low { ((v - low) / (high - low)) as f32 } else { 0.0 }).collect()
}

/// The first eigenvector of the covariance of two channels, in closed form, with the sign of more activation.
fn direction_by_hand(a: &[f64]) -> [f64; 2] {
    let mean = |channel: usize| a[channel * 4..][..4].iter().sum::<f64>() / 4.0;
    let covariance = |i: usize, j: usize| -> f64 {
        (0..4).map(|place| (a[i * 4 + place] - mean(i)) * (a[j * 4 + place] - mean(j))).sum()
    };
    let (p, q, r) = (covariance(0, 0), covariance(0, 1), covariance(1, 1));
    let angle = 0.5 * (2.0 * q).atan2(p - r);
    let v = [angle.cos(), angle.sin()];
    let agreement: f64 = (0..4)
        .map(|place| {
            let projection: f64 = (0..2).map(|c| v[c] * (a[c * 4 + place] - mean(c))).sum();
            projection * (a[place] + a[4 + place])
        })
        .sum();
    if agreement < 0.0 { v.map(|x| -x) } else { v }
}

#[test]
fn maps_that_try_channels_are_the_same_with_a_way_around_the_layer() {
    // The output reads the layer, and the input beside it.
    let text = IMAGE
        .replace("f = Reshape(e, flat) y = MatMul(f, v)", "f = Reshape(e, flat) z = MatMul(f, v) i = Reshape(x, flat) j = MatMul(i, o) y = Add(z, j)")
        .replace("float[8,2] v =", "float[16,2] o = {1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1}, float[8,2] v =");
    let (around, plain) = (network(&text), network(IMAGE));
    let x = rows(3, &[1, 4, 4], 7);
    let options = cam::Options {
        variant: cam::Variant::AblationCam,
        relu: false,
        layer: Some("e".to_owned()),
        ..Default::default()
    };
    let of =
        |network: &Network| cam(network, &x, &Target::Index(0), &options, &Work::default()).expect("runs");
    // What goes around is the same with and without a channel.
    assert!(largest(&(of(&around).values - of(&plain).values)) < 1e-6);
}

#[test]
fn guided_signals_are_positive_at_every_relu() {
    let network = network(KINKED);
    let x = rows(4, &[3], 71);
    let guided = guided_backprop(&network, &x, &Target::Index(0), &Work::default()).expect("runs");
    let weights = [[1.0, -2.0, 0.5, 0.3], [0.7, 1.0, -1.0, 0.2], [-0.4, 0.6, 2.0, -1.0]];
    let (shift, v) = ([0.1, 0.2, -0.3, 0.4], [1.0f64, 0.5, -1.5, 0.8]);
    for row in 0..4 {
        let expected = weights.map(|w| {
            (0..4)
                .map(|h| {
                    let sum: f64 =
                        (0..3).map(|i| f64::from(x[[row, i]]) * weights[i][h]).sum::<f64>() + shift[h];
                    if sum > 0.0 { v[h].max(0.0) * w[h] } else { 0.0 }
                })
                .sum::<f64>()
        });
        assert!((0..3).all(|i| (guided.values[[row, 0, i]] - expected[i]).abs() < 1e-6), "row {row}");
    }
    assert!(guided.warnings[0].contains("randomization"));
}

#[test]
fn guided_grad_cam_is_the_product_of_its_parts() {
    let network = network(IMAGE);
    let (x, target, work) = (rows(2, &[1, 4, 4], 72), Target::Top(2), Work::default());
    let options = cam::Options::default();
    let both = guided_grad_cam(&network, &x, &target, &options, &work).expect("runs");
    let map = cam(&network, &x, &target, &options, &work).expect("runs");
    let guided = guided_backprop(&network, &x, &target, &work).expect("runs");
    assert_eq!(both.values.shape(), [2, 2, 1, 4, 4]);
    assert_eq!(both.values, &guided.values * &map.values.insert_axis(Axis(2)));
    assert!(both.raw_map.is_some() && !both.warnings.is_empty());
}
