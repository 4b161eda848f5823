use super::*;
use crate::feature_ablation::{self, feature_ablation};
use crate::game::{Game, MaskedRow};
use crate::lime::{self, lime};
use crate::masker::Masker;
use crate::occlusion::{self, occlusion};
use crate::predictor::Function;
use crate::testing::{Listed, work};
use ndarray::{Array1, ArrayViewD, array};

#[test]
fn stretches_are_of_equal_length() {
    let together = equal_stretches(5, 2, 2, Channels::Together).expect("groups");
    assert_eq!(together.of_element(), &array![[0, 0], [0, 0], [0, 0], [1, 1], [1, 1]].into_dyn());
    let apart = equal_stretches(5, 2, 2, Channels::Apart).expect("groups");
    assert_eq!(apart.of_element(), &array![[0, 2], [0, 2], [0, 2], [1, 3], [1, 3]].into_dyn());
    assert_eq!(equal_stretches(7, 1, 7, Channels::Together).expect("groups").n_groups(), 7);
    for n_segments in [0, 6] {
        let refusal = equal_stretches(5, 2, n_segments, Channels::Together).expect_err("a refusal");
        assert!(refusal.to_string().contains("of 5 times cannot be"));
    }
}

/// Every way to cut eight times in three, tried.
#[test]
fn change_points_leave_the_least_squares() {
    let row = array![[1.0], [1.4], [0.9], [5.0], [5.5], [2.0], [2.2], [1.7]];
    let cost = |cuts: [usize; 4]| {
        cuts.windows(2)
            .map(|cut| {
                let part: Vec<f64> = (cut[0]..cut[1]).map(|time| row[[time, 0]]).collect();
                let mean = part.iter().sum::<f64>() / part.len() as f64;
                part.iter().map(|x| (x - mean).powi(2)).sum::<f64>()
            })
            .sum::<f64>()
    };
    let ways = (1..7).flat_map(|first| (first + 1..8).map(move |second| [0, first, second, 8]));
    let best = ways.min_by(|a, b| cost(*a).total_cmp(&cost(*b))).expect("a way");
    assert_eq!(best, [0, 3, 5, 8]);
    let groups = change_points(row.view(), 3, Channels::Together).expect("groups");
    assert_eq!(groups.of_element().iter().copied().collect::<Vec<_>>(), [0, 0, 0, 1, 1, 2, 2, 2]);
}

#[test]
fn channels_change_on_their_own_or_together_in_units_of_their_own() {
    // Channel 1 is a million times larger, and its change must not drown channel 0's.
    let row = array![[0.0, 1e6], [0.0, 1e6], [9.0, 1e6], [9.0, 5e6], [9.0, 5e6]];
    let together = change_points(row.view(), 3, Channels::Together).expect("groups");
    assert_eq!(together.of_element(), &array![[0, 0], [0, 0], [1, 1], [2, 2], [2, 2]].into_dyn());
    let apart = change_points(row.view(), 2, Channels::Apart).expect("groups");
    assert_eq!(apart.of_element(), &array![[0, 2], [0, 2], [1, 2], [1, 3], [1, 3]].into_dyn());
    let constant = Array2::from_elem((4, 1), 3.0);
    assert_eq!(change_points(constant.view(), 2, Channels::Together).expect("groups").n_groups(), 2);
    let broken = array![[0.0], [f64::NAN]];
    assert!(change_points(broken.view(), 1, Channels::Together).is_err());
    let long = Array2::zeros((MAX_CHANGE_POINT_TIMES + 1, 1));
    let refusal = change_points(long.view(), 2, Channels::Together).expect_err("a refusal");
    assert!(refusal.to_string().contains("equal stretches"));
}

#[test]
fn what_stands_for_the_absent() {
    let row = array![[1.0, 4.0], [9.0, 4.0], [8.0, 4.0], [7.0, 0.0], [3.0, 0.0]];
    let groups = Groups::new(array![[0, 0], [1, 0], [1, 0], [1, 0], [2, 0]].into_dyn()).expect("groups");
    // Channel 0: the line from 1 to 3, and at the ends what stands beside; channel 1 is one stretch: its mean.
    let lines = interpolated(row.view(), &groups).expect("lines");
    assert_eq!(lines.column_values(0), [9.0, 1.5, 2.0, 2.5, 7.0]);
    assert_eq!(lines.column_values(1), [2.4; 5]);
    assert_eq!(channel_means(row.view()).column_values(0), [5.6; 5]);
    assert_eq!(
        stretch_means(row.view(), &groups).expect("means").column_values(0),
        [1.0, 8.0, 8.0, 8.0, 3.0]
    );
    assert!(interpolated(row.view(), &Groups::single(&[5])).is_err());
}

trait Column {
    fn column_values(&self, channel: usize) -> Vec<f64>;
}

impl Column for ArrayD<f64> {
    fn column_values(&self, channel: usize) -> Vec<f64> {
        self.index_axis(Axis(1), channel).iter().copied().collect()
    }
}

/// One game of stretches for occlusion, LIME and Shapley values, with a baseline or background series; all name the stretch that counts.
#[test]
fn every_method_takes_the_same_stretches() {
    let predict = |rows: ArrayViewD<'_, f64>| {
        let peak = |row: ArrayViewD<'_, f64>| (6..9).map(|time| row[[time, 1]]).sum::<f64>();
        Ok(rows.outer_iter().map(peak).collect::<Array1<f64>>().insert_axis(Axis(1)))
    };
    let model = Function { row_shape: vec![12, 2], n_outputs: 1, predict };
    let row =
        Array2::from_shape_fn((12, 2), |(time, channel)| f64::from(channel == 1 && (6..9).contains(&time)));
    let groups = equal_stretches(12, 2, 4, Channels::Apart).expect("groups");
    let background = ArrayD::from_shape_fn(vec![3, 12, 2], |at| at[0] as f64 * 0.1);
    for masker in [
        Masker::baseline(interpolated(row.view(), &groups).expect("lines"), groups.clone()),
        Masker::background(background, None, groups.clone()),
        Masker::inpaint(channel_means(row.view()), Some(1), groups.clone()),
    ] {
        let masker = masker.expect("a masker");
        let game = MaskedRow::new(&model, &masker, row.view().into_dyn(), array![[1.0]]).expect("a game");
        let best = |values: &Array2<f64>| {
            let players = values.column(0).iter().copied().enumerate().collect::<Vec<_>>();
            players.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).expect("a player").0
        };
        let ablated =
            feature_ablation(&game, &feature_ablation::Options::default(), &work(8)).expect("values");
        let window = occlusion::Options { window: vec![3, 1], strides: None };
        let occluded = occlusion(&game, &window, &work(8)).expect("values");
        assert_eq!(occluded.values, ablated.values);
        let options = lime::Options { n_samples: 300, ..lime::Options::image() };
        let surrogate = lime(&game, &options, &work(64)).expect("a surrogate");
        let all = Array2::from_shape_fn((1 << 8, 8), |(bits, player)| bits >> player & 1 == 1);
        let listed = Listed { n_players: 8, worth: game.worth(all.view(), &work(64)).expect("worths") };
        for values in [&ablated.values, &surrogate.estimate.values, &listed.shapley()] {
            assert_eq!(best(values), 6, "channel 1, times 6 to 8");
        }
    }
}
