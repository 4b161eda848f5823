//! Dependence on one feature, and pairs of them.

use super::*;

#[test]
fn the_colors_of_a_dependence_chart_are_accounted_for() {
    let owned = plain(200, 4);
    let told =
        |coloring| words(&dependence(&owned.table(), 0, coloring, &options(20)).unwrap()).replace('\n', " ");
    let text = told(Coloring::Interacting(2));
    assert!(text.contains("with the largest interactions with this one: feature 2."), "{text}");
    let text = told(Coloring::Strongest);
    assert!(text.contains("estimated from these rows: feature "), "{text}");
    assert!(!told(Coloring::Feature(2)).contains("Colored by the feature"));
}

#[test]
fn a_dependence_chart_shows_every_row_that_has_a_place() {
    let mut owned = plain(1_000, 3);
    let data = owned.data.as_mut().unwrap();
    data[[4, 0]] = f64::NAN;
    data[[5, 0]] = f64::INFINITY;
    let chart = dependence(&owned.table(), 0, Coloring::Plain, &options(20)).unwrap();
    assert_eq!(n_discs(&chart), 999);
    let text = words(&chart);
    assert!(text.contains("1 row with infinite values are not drawn"), "{text}");
    assert!(text.contains("missing: 1 row\n") && text.contains("row 4: feature 0 = missing"), "{text}");
    // Rising data lie further right.
    owned.data = Some(ndarray::Array2::from_shape_fn((1_000, 3), |(row, _)| row as f64));
    let chart = dependence(&owned.table(), 0, Coloring::Strongest, &options(20)).unwrap();
    let places = chart.marks.iter().filter_map(|mark| match &mark.shape {
        Shape::Discs { centers, .. } => Some(centers[0].0),
        _ => None,
    });
    assert!(places.collect::<Vec<_>>().is_sorted());
}

#[test]
fn categories_that_differ_in_the_middle_are_told_apart() {
    let mut owned = plain(70, 2);
    let names =
        ["Divorced", "Married-AF-spouse", "Married-civ-spouse", "Married-spouse-absent", "Never-married"];
    owned.features[0].categories =
        [&names[..], &["Separated", "Widowed"]].concat().iter().map(|&name| name.into()).collect();
    for (row, datum) in owned.data.as_mut().unwrap().column_mut(0).iter_mut().enumerate() {
        *datum = (row % 7) as f64;
    }
    let chart = dependence(&owned.table(), 0, Coloring::Plain, &options(20)).unwrap();
    check_chart(&chart);
    for name in names {
        assert!(texts(&chart).any(|text| text.text == name), "{name}: {}", words(&chart));
    }
}

#[test]
fn an_interaction_matrix_shows_the_mean_sizes() {
    let owned = plain(2, 3);
    let mut values = ndarray::Array3::zeros((2, 3, 3));
    (values[[0, 0, 1]], values[[1, 0, 1]], values[[0, 2, 2]]) = (-0.5, 0.25, 3.0);
    let sizes = interaction_sizes(values.view());
    assert_eq!((sizes[[0, 1]], sizes[[2, 2]]), (0.375, 1.5));
    let interactions =
        Interactions { sizes: sizes.view(), n_rows: 2, features: &owned.features, output: &owned.output };
    let chart = interaction_matrix(&interactions, &options(20)).unwrap();
    check_chart(&chart);
    let text = words(&chart);
    assert!(
        text.contains("feature 0 × feature 1: 0.375") && text.contains("feature 2, main effect: 1.500"),
        "{text}"
    );
    let few = words(&interaction_matrix(&interactions, &options(1)).unwrap()).replace('\n', " ");
    assert!(few.contains("The 2 features that interact least are left out."), "{few}");
    // The third feature has the largest main effect, but no interaction.
    assert!(few.contains("feature 0, main effect") && !few.contains("feature 2"), "{few}");

    let refused = |sizes: &ndarray::Array2<f64>| {
        let interactions = Interactions { sizes: sizes.view(), ..interactions };
        interaction_matrix(&interactions, &options(20)).unwrap_err().to_string()
    };
    assert_eq!(
        refused(&arr2(&[[-1.0]])),
        "the list of features has length 3, expected 1 as in the table's values"
    );
    assert_eq!(refused(&(0.0 - &sizes)), "`size of an interaction` is -0.375, expected 0 or more");
    assert_eq!(refused(&ndarray::Array2::zeros((0, 0))), "no features to draw; give at least one");
}

#[test]
fn interaction_matrices_of_hard_features_are_sound() {
    for (case, owned) in hard_tables() {
        let n = owned.features.len();
        for factor in [0.0, 1.0, 1e-9, 1e200] {
            println!("interactions of {case}, × {factor}");
            let sizes = ndarray::Array2::from_shape_fn((n, n), |(a, b)| factor / (1 + a + b) as f64);
            let interactions = Interactions {
                sizes: sizes.view(),
                n_rows: 7,
                features: &owned.features,
                output: &owned.output,
            };
            for max_features in [1, 12, 20] {
                check_chart(&interaction_matrix(&interactions, &options(max_features)).unwrap());
            }
        }
    }
}
