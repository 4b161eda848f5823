//! Functions of texts: words come and go, and the function is asked about what is left.

use ndarray::{Array1, Axis};

use super::*;
use crate::agnostic::{AgnosticOptions, FunctionInfo};
use crate::output_target::OutputTarget;

const TEXT: &str = "It is not good, not at all.";

fn info() -> FunctionInfo {
    FunctionInfo {
        name: "mood".to_owned(),
        producer: "tests".to_owned(),
        fingerprint: String::new(),
        row_shape: Vec::new(),
        n_outputs: 1,
        output_names: Some(vec!["happy".to_owned()]),
    }
}

/// Happy about `good`, unless `not` stands right before it.
fn mood(text: &str) -> f64 {
    f64::from(text.contains("good")) - 2.0 * f64::from(text.contains("not good"))
}

fn explained(method: &str, baseline: Option<&str>) -> Result<TextExplanation, Error> {
    let words = TextWords::new(TEXT, baseline)?;
    let predict = |rows: ndarray::ArrayViewD<'_, f64>| {
        let outputs = words.texts(rows).iter().map(|text| mood(text)).collect::<Array1<f64>>();
        Ok(outputs.insert_axis(Axis(1)))
    };
    let request = TextFunctionRequest {
        method: method.to_owned(),
        options: AgnosticOptions::default(),
        target: OutputTarget::All,
        seed: 0,
    };
    explain_text_function(&words, info(), predict, &request, &Work::default())
}

#[test]
fn words_of_a_function_come_and_go() {
    let ablated = explained("feature-ablation", None).unwrap();
    let words: Vec<&str> = ablated.words.iter().map(|word| &TEXT[word.span.clone()]).collect();
    assert_eq!(words, ["It", "is", "not", "good", ",", "not", "at", "all", "."]);
    assert_eq!(ablated.word_values(0), [0.0, 0.0, -2.0, -1.0 - 0.0, 0.0, 0.0, 0.0, 0.0, 0.0].map(|x: f64| x));
    // Half of what only both of them do, beside what good does alone.
    for method in ["exact-shap", "kernel-shap"] {
        let values = explained(method, Some("token:…")).unwrap().word_values(0);
        let expected = [0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-9, "{method}: {values:?}");
        }
    }
    let lime = explained("lime", None).unwrap();
    assert!(lime.word_values(0)[2] < -0.5 && lime.word_errors(0).is_some());
    assert_eq!(lime.explanation.target_label(0, 0), "happy");
    assert_eq!(lime.explanation.about.parameters["players"].to_string(), "words");
}

#[test]
fn texts_are_what_rows_say() {
    let words = TextWords::new("A cat, a dog.", Some("token:[GONE]")).unwrap();
    let rows = ndarray::array![[1.0, 0.0, 1.0, 7.0, 0.0, 1.0], [1.0; 6]].into_dyn();
    assert_eq!(words.texts(rows.view()), ["A [GONE], a [GONE].", "A cat, a dog."]);
    let words = TextWords::new("A cat, a dog.", None).unwrap();
    assert_eq!(words.texts(rows.view())[0], "A , a .");
    assert!(TextWords::new(" \n", None).unwrap_err().to_string().contains("is empty"));
    let told = explained("lime", Some("mask")).unwrap_err().to_string();
    assert!(told.contains("deleted, token:TEXT"), "{told}");
    let told = explained("rise", None).unwrap_err().to_string();
    assert!(told.contains("rise is for images"), "{told}");
}
