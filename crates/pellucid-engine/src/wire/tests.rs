use std::collections::BTreeMap;

use ndarray::{Array, ArrayD, array};
use pellucid_core::OutputSpace;

use crate::explanation::*;
use crate::input::Source;
use crate::{DeletionCheck, Error, Parameter, Preprocess};

/// An explanation of two rows of three features, for `n_targets` targets.
pub(crate) fn explanation(n_targets: usize) -> Explanation {
    let with_targets = |shape: &[usize]| {
        let mut shape = shape.to_vec();
        if n_targets > 1 {
            shape.push(n_targets);
        }
        let mut next = 0.0;
        Array::from_shape_fn(shape, |_| {
            next += 0.1;
            next - 0.35
        })
    };
    let row = |row_index| RowSource {
        source: Source { file: "rows.csv".into(), row_index, crop_box: Some([0.0, 0.5, 3.25, 4.0]) },
        digest: "00".repeat(32),
    };
    let prediction = Prediction { index: 1, label: Some("dog".into()), output: 1.5, probability: Some(0.75) };
    let parameters = [
        ("absolute", Parameter::Flag(true)),
        ("n_steps", Parameter::Count(50)),
        ("tolerance", Parameter::Unset),
        ("share", Parameter::Number(0.1)),
        ("baseline", Parameter::Text("zeros".into())),
    ];
    Explanation {
        values: with_targets(&[2, 3]),
        outputs: with_targets(&[2]),
        base_values: Some(with_targets(&[2])),
        convergence_delta: Some(with_targets(&[2])),
        standard_error: Some(with_targets(&[2, 3])),
        raw_map: Some(with_targets(&[2, 1])),
        data: array![[0.1f32, 2.0, -3.0], [1e-7, 0.0, 7.0]].mapv(f64::from).into_dyn(),
        baselines: Some(ArrayD::from_elem(vec![2, 3], 0.3f32)),
        evaluations: vec![50, 51],
        about: About {
            method: "integrated_gradients".into(),
            parameters: parameters
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<BTreeMap<_, _>>(),
            seed: u64::MAX,
            target: ExplainedTarget { asked: "top".into(), indices: Some(vec![(0..n_targets).collect(); 2]) },
            output_space: OutputSpace::Margin,
            output_name: "logits".into(),
            output_names: Some(vec!["cat".into(), "dog".into()]),
            feature_names: None,
            feature_categories: Some(vec![vec![], vec![], vec!["a".into()]]),
            feature_sets: None,
            other_columns: BTreeMap::from([("sex".to_owned(), vec!["f".to_owned(), "m".to_owned()])]),
            channel_axis: Some(0),
            signed: true,
            predictions: vec![vec![prediction]; 2],
            all_outputs: Some(vec![vec![-0.5, 1.5]; 2]),
            model: ModelSource {
                name: "net".into(),
                format: "onnx".into(),
                digest: "ab".into(),
                producer: "pytorch 2".into(),
            },
            runtime: RuntimeUse { fingerprint: "rten".into(), batch_size: None, max_memory_bytes: 1 << 30 },
            inputs: vec![row(0), row(1)],
            inclusion_probability: 0.25,
            preprocessing: Some(Preprocess::default()),
            deletion: vec![DeletionCheck {
                row: 1,
                target: 0,
                auc: 0.25,
                random_auc: 0.5,
                random_standard_error: 0.01,
                share_of_random_beaten: 1.0,
            }],
            warnings: vec!["mind this".into()],
            pellucid_version: "0.1.0".into(),
        },
    }
}

#[test]
fn both_forms_hold_everything() {
    for n_targets in [1, 3] {
        let explanation = explanation(n_targets);
        assert_eq!(Explanation::from_json(&explanation.to_json().unwrap()).unwrap(), explanation);
        assert_eq!(Explanation::from_npz(&explanation.to_npz().unwrap()).unwrap(), explanation);
    }
}

#[test]
fn the_document_reads_as_promised() {
    let document: serde_json::Value = serde_json::from_str(&explanation(1).to_json().unwrap()).unwrap();
    assert_eq!(document["schema"], "pellucid.explanation");
    assert_eq!(document["schema_version"], 1);
    assert_eq!(document["parameters"]["tolerance"], serde_json::Value::Null);
    assert_eq!(document["output_space"], "margin");
    assert_eq!(document["values"].as_array().unwrap().len(), 2);
    assert_eq!(document["data"][1][0], 1e-7);
}

#[test]
fn what_is_not_finite_is_not_written() {
    let mut broken = explanation(1);
    broken.values[[1, 2]] = f64::NAN;
    for error in [broken.to_json().unwrap_err(), broken.to_npz().unwrap_err()] {
        assert!(
            matches!(&error, Error::NotFinite { what: "values", index, .. } if *index == [1, 2]),
            "{error}"
        );
    }
}

#[test]
fn what_does_not_fit_is_not_read() {
    let check = |old: &str, new: &str, part: &str| {
        let text = explanation(1).to_json().unwrap().replacen(old, new, 1);
        let error = Explanation::from_json(&text).unwrap_err().to_string();
        assert!(error.contains(part), "{error:?} without {part:?}");
    };
    check("\"schema_version\":1", "\"schema_version\":2", "use a newer one");
    check("pellucid.explanation", "other", "its schema is `other`");
    check("\"margin\"", "\"odds\"", "no output space `odds`");
    check("[50,51]", "[50]", "`data` has 2 rows");
    check("\"outputs\":[", "\"outputs\":[1.0,", "`data` has 2 rows");
}
