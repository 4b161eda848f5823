//! Photos + methods → one page that shows what the model saw, and how far each picture is to be trusted.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use ndarray::{Array2, ArrayD};
use pellucid_core::{Model as _, Target, Work};
use pellucid_metrics::Explained;
use pellucid_metrics::deletion_insertion::{Direction, RandomReference, Score, Trial};
use pellucid_plot::{
    Better, ClassScore, Measurement, Report, ReportCurve, ReportMetric, ReportPanel, ReportSection, Shown,
    report_html,
};

use crate::aim::compared;
use crate::error::Error;
use crate::evaluate::{CurveOptions, by_default, completeness_gaps, curve_options};
use crate::explain::{Attributed, Request, attribute, explanation};
use crate::explanation::Explanation;
use crate::file;
use crate::input::Input;
use crate::method::{Method, MethodOptions, title};
use crate::model::LoadedModel;
use crate::picture::{heatmap, parameters_text, picture_of_row};

/// What the page shows.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportOptions {
    /// The methods, in the order of the panels.
    pub methods: Vec<(String, MethodOptions)>,
    /// What is explained of each photo.
    pub target: Target,
    /// What random draws are made from.
    pub seed: u64,
    /// How deletion and insertion go.
    pub curves: CurveOptions,
}

impl Default for ReportOptions {
    /// Integrated gradients until the gap is below 1 %, Grad-CAM, SmoothGrad and saliency, of the predicted class.
    fn default() -> Self {
        let plain = |name: &str| (name.to_owned(), MethodOptions::default());
        let refined = MethodOptions { tolerance: Some(0.01), ..MethodOptions::default() };
        Self {
            methods: vec![
                ("integrated_gradients".to_owned(), refined),
                plain("grad_cam"),
                plain("smoothgrad"),
                plain("saliency"),
            ],
            target: Target::Top(1),
            seed: 0,
            curves: CurveOptions { n_steps: 32, n_random: 5, patch: None },
        }
    }
}

/// The page, one HTML file that needs no other. Photos may have their makers and licenses in a `credits.json` beside
/// them: `{"photo.jpg": "CC0, by …"}`.
///
/// # Errors
/// Whatever reading, explaining, scoring and drawing report; inputs that are no images.
pub fn report(
    model: &LoadedModel,
    photos: &[PathBuf],
    options: &ReportOptions,
    work: &Work,
) -> Result<String, Error> {
    let compared = compared(model, &options.target, work)?;
    let model = compared.as_ref().unwrap_or(model);
    let mut sections = Vec::new();
    for photo in photos {
        let input = model.read_input(std::slice::from_ref(photo), None)?;
        sections.push(section(model, photo, &input, options, work)?);
    }
    let page = Report {
        title: format!("What {} sees", model.name()),
        lead: LEAD.to_owned(),
        facts: facts(model, options),
        sections,
        footer: format!("Made by Pellucid {}.", env!("CARGO_PKG_VERSION")),
    };
    Ok(report_html(&page)?)
}

const LEAD: &str = "Each heatmap answers the same question, what made the model say this, by another method, and \
                    below it stands how far the answer is to be trusted. Deletion blurs what has the highest values \
                    first: the model's confidence should fall early, so a small area under the curve is good. \
                    Insertion lets it appear in a blurred photo: confidence should rise early, so a large area is \
                    good. Both are compared with a random order of the same pixels, for class activation maps of \
                    the same cells.";

fn facts(model: &LoadedModel, options: &ReportOptions) -> Vec<(String, String)> {
    let fact = |name: &str, value: String| (name.to_owned(), value);
    vec![
        fact("Model", format!("{}.onnx", model.name())),
        fact("SHA-256", model.digest()),
        fact("Input", format!("{:?}", model.network().input_shape())),
        fact("Runtime", model.network().runtime().fingerprint()),
        fact("Seed", options.seed.to_string()),
    ]
}

fn section(
    model: &LoadedModel,
    photo: &Path,
    input: &Input,
    options: &ReportOptions,
    work: &Work,
) -> Result<ReportSection, Error> {
    let no_images = || Error::input(photo, "is no image of this model; a report is of images");
    let mut scored = Vec::new();
    let mut random = BTreeMap::new();
    for (name, of_method) in &options.methods {
        let method = Method::new(name, of_method, model, options.seed)?;
        let request = Request { method, target: options.target.clone(), seed: options.seed };
        let attributed = attribute(model, input, &request, work)?;
        let trial = Scoring {
            model,
            input,
            request: &request,
            deleted: by_default(model, input)?,
            curves: options.curves,
        };
        let scores = trial.scores(&attributed, &mut random, work)?;
        scored.push((explanation(model, input, &request, work, attributed)?, scores));
    }
    let (first, _) = scored.first().ok_or_else(|| Error::request("methods", "name at least one"))?;
    let section = ReportSection {
        heading: photo.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        photo: Some(picture_of_row(first, 0).ok_or_else(no_images)?),
        credit: credit(photo)?,
        classes: classes(first),
        warnings: input.warnings.iter().chain(model.warnings()).cloned().collect(),
        panels: Vec::new(),
    };
    let panels = scored.iter().map(|(explanation, scores)| panel(explanation, scores));
    let panels = panels.collect::<Result<Option<Vec<_>>, _>>()?.ok_or_else(no_images)?;
    Ok(ReportSection { panels, ..section })
}

/// What the method was told, and what it took.
pub(crate) fn told_parameters(explanation: &Explanation) -> String {
    let parameters = parameters_text(explanation);
    let separator = if parameters.is_empty() { "" } else { "; " };
    format!("{parameters}{separator}{} evaluations", explanation.evaluations[0])
}

/// What is told of one heatmap, or of one text.
pub(crate) struct Scores {
    gap: Option<f64>,
    deletion: Score,
    insertion: Score,
}

/// The random references of deletion and insertion, by the side of the patches.
pub(crate) type RandomReferences = BTreeMap<usize, [Array2<RandomReference>; 2]>;

/// What scoring an attribution needs beside it.
pub(crate) struct Scoring<'a> {
    pub(crate) model: &'a LoadedModel,
    pub(crate) input: &'a Input,
    pub(crate) request: &'a Request,
    /// What a deleted feature becomes, and what features are inserted into.
    pub(crate) deleted: ArrayD<f32>,
    pub(crate) curves: CurveOptions,
}

impl Scoring<'_> {
    /// Scores the first target of the first row; `random` is found out once for all methods of one resolution.
    pub(crate) fn scores(
        &self,
        attributed: &Attributed,
        random: &mut RandomReferences,
        work: &Work,
    ) -> Result<Scores, Error> {
        let Self { model, input, request, deleted, curves } = self;
        let explained = Explained { model: model.network(), inputs: &input.rows, target: &attributed.target };
        let gaps = completeness_gaps(model, &explained, request, attributed, work)?;
        let settings = curve_options(model, attributed, request.seed, *curves);
        let deletion = Trial::new(explained, Direction::Deletion, deleted, &settings)?;
        let insertion = Trial::new(explained, Direction::Insertion, deleted, &settings)?;
        let references = match random.entry(settings.patch) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                place.insert([deletion.random_reference(work)?, insertion.random_reference(work)?])
            }
        };
        let first = |trial: &Trial<'_>, reference| -> Result<Score, Error> {
            Ok(trial.score(&attributed.attribution, reference, work)?[[0, 0]].clone())
        };
        Ok(Scores {
            gap: gaps.map(|gaps| gaps[[0, 0]]),
            deletion: first(&deletion, &references[0])?,
            insertion: first(&insertion, &references[1])?,
        })
    }
}

impl Scores {
    pub(crate) fn metrics(&self) -> Vec<ReportMetric> {
        let gap = match self.gap {
            Some(gap) if gap.is_finite() => Measurement::Number(gap),
            _ => Measurement::NotPromised,
        };
        let of_curve = |name: &str, score: &Score, better| ReportMetric {
            name: name.to_owned(),
            measurement: Measurement::Number(score.curve.auc),
            random: Some(score.random.mean.auc),
            better,
        };
        vec![
            ReportMetric {
                name: "Completeness gap".to_owned(),
                measurement: gap,
                random: None,
                better: Better::Zero,
            },
            of_curve("Deletion AUC", &self.deletion, Better::Lower),
            of_curve("Insertion AUC", &self.insertion, Better::Higher),
        ]
    }

    /// The curves of deletion and insertion; `whole` is what features go from, such as `photo`.
    pub(crate) fn curves(&self, whole: &str) -> Vec<ReportCurve> {
        vec![
            curve("Deletion", format!("share of the {whole} deleted"), &self.deletion),
            curve("Insertion", format!("share of the {whole} inserted"), &self.insertion),
        ]
    }
}

pub(crate) fn classes(explanation: &Explanation) -> Vec<ClassScore> {
    let explained: Vec<usize> =
        explanation.about.target.indices.as_ref().map_or_else(Vec::new, |rows| rows[0].clone());
    let class = |prediction: &crate::Prediction| {
        let label = prediction.label.clone().unwrap_or_else(|| format!("output {}", prediction.index));
        let probability = prediction.probability?;
        Some(ClassScore { label, probability, explained: explained.contains(&prediction.index) })
    };
    explanation.about.predictions[0].iter().filter_map(class).collect()
}

fn panel(explanation: &Explanation, scores: &Scores) -> Result<Option<ReportPanel>, Error> {
    let Some(heatmap) = heatmap(explanation, 0, 0)? else { return Ok(None) };
    Ok(Some(ReportPanel {
        method: title(&explanation.about.method).to_owned(),
        parameters: told_parameters(explanation),
        explanation: what_it_shows(&explanation.about.method).to_owned(),
        shown: Shown::Heatmap(heatmap),
        metrics: scores.metrics(),
        curves: scores.curves("photo"),
        warnings: explanation.about.warnings.clone(),
    }))
}

fn curve(name: &str, axis: String, score: &Score) -> ReportCurve {
    ReportCurve {
        name: name.to_owned(),
        axis,
        fractions: score.curve.fractions.clone(),
        values: score.curve.values.clone(),
        random: score.random.mean.values.clone(),
    }
}

fn what_it_shows(method: &str) -> &'static str {
    match method {
        "saliency" => "Where a small change of a pixel would move the output most, whichever way.",
        "input_x_gradient" => "What each pixel would add if the network were linear.",
        "integrated_gradients" => {
            "What each pixel adds on the way from a plain gray image to the photo: red speaks for the class, blue \
             against it. All pixels together add up to the output."
        }
        "lrp" => {
            "What each pixel passed on towards the output, layer by layer: red speaks for the class, blue against it."
        }
        "attention" => "Which patches one layer's attention looked at, whatever the class.",
        "attention_rollout" => {
            "Which patches attention looked at, followed through the layers, whatever the class."
        }
        "attention_x_gradient" => "Which patches the attention took the class from, layer by layer.",
        "guided_backprop" | "guided_grad_cam" => {
            "Edges of the photo that positive signals pass. Most of it stays when the model is redrawn at random."
        }
        "deep_lift" => {
            "What each pixel adds between a baseline and the photo, handed back op by op; all pixels add up."
        }
        "deep_shap" | "gradient_shap" => {
            "What each pixel adds between the background's photos and this one, on average."
        }
        "smoothgrad" => {
            "The gradient averaged over many noisy copies of the photo: red pixels raise the output."
        }
        "smoothgrad_sq" => "How strong the gradient is over many noisy copies of the photo.",
        "vargrad" => "How much the gradient varies over many noisy copies of the photo.",
        _ => {
            "Where the last feature map holds what speaks for the class. It is coarse: a few places, enlarged."
        }
    }
}

/// The line of `credits.json` beside the photo.
fn credit(photo: &Path) -> Result<String, Error> {
    let path = photo.with_file_name("credits.json");
    if !path.is_file() {
        return Ok(String::new());
    }
    let credits: BTreeMap<String, String> = serde_json::from_str(&file::read_text(&path)?)
        .map_err(|error| Error::input(&path, format!("is no JSON map of photos to credits: {error}")))?;
    let name = photo.file_name().unwrap_or_default().to_string_lossy();
    Ok(credits.get(name.as_ref()).cloned().unwrap_or_default())
}
