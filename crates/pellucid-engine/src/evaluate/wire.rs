//! [`Evaluation`] → JSON.

use pellucid_metrics::deletion_insertion::{Curve, Score};
use serde::Serialize;

use super::Evaluation;
use crate::error::Error;

/// The form of evaluations in files.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    schema_version: u32,
    pellucid_version: &'a str,
    model: &'a str,
    model_digest: &'a str,
    runtime: &'a str,
    method: &'a str,
    target: &'a str,
    seed: u64,
    passes: bool,
    checks: Vec<Check<'a>>,
    scores: Vec<RowScores>,
    randomization: Vec<Stage<'a>>,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct Check<'a> {
    claim: &'a str,
    holds: bool,
}

#[derive(Serialize)]
struct RowScores {
    row: usize,
    target: usize,
    label: String,
    input_digest: String,
    /// `null` where the method promises nothing, or where the gap is infinite: see `completeness_gap_is_infinite`.
    completeness_gap: Option<f64>,
    completeness_gap_is_infinite: bool,
    deletion: Option<CurveScore>,
    insertion: Option<CurveScore>,
}

#[derive(Serialize)]
struct CurveScore {
    auc: f64,
    random_auc: f64,
    random_standard_error: f64,
    share_of_random_beaten: f64,
    fractions: Vec<f64>,
    outputs: Vec<f64>,
    random_outputs: Vec<f64>,
}

#[derive(Serialize)]
struct Stage<'a> {
    layer: &'a str,
    spearman: Option<f64>,
    spearman_absolute: Option<f64>,
}

impl Evaluation {
    /// The evaluation as a JSON document; the explanation itself is left to [`crate::Explanation::to_json`].
    ///
    /// # Errors
    /// None that a finite evaluation could raise.
    pub fn to_json(&self) -> Result<String, Error> {
        let about = &self.explanation.about;
        let document = Document {
            schema: "pellucid.evaluation",
            schema_version: SCHEMA_VERSION,
            pellucid_version: &about.pellucid_version,
            model: &about.model.name,
            model_digest: &about.model.digest,
            runtime: &about.runtime.fingerprint,
            method: &about.method,
            target: &about.target.asked,
            seed: about.seed,
            passes: self.passes(),
            checks: self
                .checks
                .iter()
                .map(|check| Check { claim: &check.claim, holds: check.holds })
                .collect(),
            scores: self.scores.iter().map(|scores| self.row_scores(scores)).collect(),
            randomization: self.randomization.iter().map(stage).collect(),
            warnings: &about.warnings,
        };
        serde_json::to_string(&document)
            .map_err(|error| Error::Input { path: "evaluation".to_owned(), reason: error.to_string() })
    }

    fn row_scores(&self, scores: &super::RowScores) -> RowScores {
        RowScores {
            row: scores.row,
            target: scores.target,
            label: self.explanation.target_label(scores.row, scores.target),
            input_digest: self.explanation.about.inputs[scores.row].digest.clone(),
            completeness_gap: scores.completeness_gap.filter(|gap| gap.is_finite()),
            completeness_gap_is_infinite: scores.completeness_gap.is_some_and(f64::is_infinite),
            deletion: scores.deletion.as_ref().map(curve_score),
            insertion: scores.insertion.as_ref().map(curve_score),
        }
    }
}

fn curve_score(score: &Score) -> CurveScore {
    let Curve { fractions, values, auc } = score.curve.clone();
    CurveScore {
        auc,
        random_auc: score.random.mean.auc,
        random_standard_error: score.random.standard_error,
        share_of_random_beaten: score.share_of_random_beaten(),
        fractions,
        outputs: values,
        random_outputs: score.random.mean.values.clone(),
    }
}

fn stage(stage: &super::SimilarityStage) -> Stage<'_> {
    Stage { layer: &stage.layer, spearman: stage.signed, spearman_absolute: stage.absolute }
}
