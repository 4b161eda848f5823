//! Texts + methods → one page that shows which words made the model say it, and how far each picture is to be trusted.

use pellucid_core::Work;
use pellucid_plot::{HighlightedText, Report, ReportPanel, ReportSection, Shown, report_html};

use crate::error::Error;
use crate::evaluate::CurveOptions;
use crate::explain::attribute;
use crate::method::{MethodOptions, title};
use crate::report::{RandomReferences, Scores, Scoring, classes, told_parameters};
use crate::text::explain::{AskedText, TextExplanation, TextRequest};
use crate::text::model::TextModel;
use crate::text::picture::highlighted;

/// What the page shows.
#[derive(Clone, Debug, PartialEq)]
pub struct TextReportOptions {
    /// The methods, in the order of the page.
    pub methods: Vec<(String, MethodOptions)>,
    /// How deletion and insertion go.
    pub curves: CurveOptions,
}

impl Default for TextReportOptions {
    /// Integrated gradients until the gap is below 1 %, input × gradient and saliency, which every model takes.
    fn default() -> Self {
        let plain = |name: &str| (name.to_owned(), MethodOptions::default());
        let refined = MethodOptions { tolerance: Some(0.01), ..MethodOptions::default() };
        Self {
            methods: vec![
                ("integrated_gradients".to_owned(), refined),
                plain("input_x_gradient"),
                plain("saliency"),
            ],
            curves: CurveOptions { n_steps: 32, n_random: 5, patch: None },
        }
    }
}

const LEAD: &str = "Each row answers the same question, which words made the model say this, by another method, and \
                    beside it stands how far the answer is to be trusted. Deletion takes away the tokens with the \
                    highest values first: the model's confidence should fall early, so a small area under the curve \
                    is good. Insertion puts them into a text without content: confidence should rise early, so a \
                    large area is good. Both are compared with random orders of the same tokens.";

/// The page, one HTML file that needs no other, of texts with the names of their files or none. `request` says what is
/// asked of each; its method and its options are left to `options`.
///
/// # Errors
/// Whatever explaining, scoring and drawing report.
pub fn report_texts(
    model: &TextModel,
    texts: &[(String, String)],
    request: &TextRequest,
    options: &TextReportOptions,
    work: &Work,
) -> Result<String, Error> {
    if options.methods.is_empty() {
        return Err(Error::request("methods", "name at least one"));
    }
    let (mut sections, mut facts) = (Vec::new(), Vec::new());
    for (index, (file, text)) in texts.iter().enumerate() {
        let told = of_text(model, text, file, request, options, work)?;
        if index == 0 {
            facts = self::facts(model, &told[0].0);
        }
        sections.push(section(index, file, &told));
    }
    let page = Report {
        title: format!("What {} reads", model.name()),
        lead: LEAD.to_owned(),
        facts,
        sections,
        footer: format!("Made by Pellucid {}.", env!("CARGO_PKG_VERSION")),
    };
    Ok(report_html(&page)?)
}

/// A text by each method.
fn of_text(
    model: &TextModel,
    text: &str,
    file: &str,
    request: &TextRequest,
    options: &TextReportOptions,
    work: &Work,
) -> Result<Vec<(TextExplanation, Scores)>, Error> {
    let mut random = RandomReferences::new();
    let told = options.methods.iter().map(|(method, of_method)| {
        let request = TextRequest { method: method.clone(), options: of_method.clone(), ..request.clone() };
        let asked = AskedText::new(model, text, file, &request)?;
        let attributed = attribute(&asked.part, &asked.input, &asked.request, work)?;
        let scoring = Scoring {
            model: &asked.part,
            input: &asked.input,
            request: &asked.request,
            deleted: asked.blank(model, None)?,
            curves: options.curves,
        };
        let scores = scoring.scores(&attributed, &mut random, work)?;
        Ok((asked.told(model, attributed, work)?, scores))
    });
    told.collect()
}

fn facts(model: &TextModel, first: &TextExplanation) -> Vec<(String, String)> {
    let fact = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let about = &first.explanation.about;
    vec![
        fact("Model", &format!("{}.onnx", model.name())),
        fact("SHA-256", &about.model.digest),
        fact("Target", &about.target.asked),
        fact("Runtime", &about.runtime.fingerprint),
        fact("Seed", &about.seed.to_string()),
    ]
}

fn section(index: usize, file: &str, told: &[(TextExplanation, Scores)]) -> ReportSection {
    let first = &told[0].0;
    // What is said under every method is said once.
    let everywhere =
        |warning: &&String| told.iter().all(|(text, _)| text.explanation.about.warnings.contains(warning));
    let warnings: Vec<String> = first.explanation.about.warnings.iter().filter(everywhere).cloned().collect();
    let heading = if file.is_empty() { format!("Text {}", index + 1) } else { file.to_owned() };
    ReportSection {
        heading,
        photo: None,
        credit: String::new(),
        classes: classes(&first.explanation),
        panels: told.iter().map(|(text, scores)| panel(text, scores, &warnings)).collect(),
        warnings,
    }
}

fn panel(text: &TextExplanation, scores: &Scores, said: &[String]) -> ReportPanel {
    let about = &text.explanation.about;
    let own = about.warnings.iter().filter(|warning| !said.contains(warning));
    ReportPanel {
        method: title(&about.method).to_owned(),
        parameters: told_parameters(&text.explanation),
        explanation: what_it_shows(&about.method).to_owned(),
        // Its note says what the numbers and warnings beside it say.
        shown: Shown::Text(HighlightedText { note: String::new(), ..highlighted(text, 0, false) }),
        metrics: scores.metrics(),
        curves: scores.curves("text"),
        warnings: own.cloned().collect(),
    }
}

fn what_it_shows(method: &str) -> &'static str {
    match method {
        "saliency" => "Where a small change of a word's vector would move the output most, whichever way.",
        "input_x_gradient" => "What each word would add if the network were linear.",
        "integrated_gradients" => {
            "What each word adds on the way from a text without content to this one: red speaks for the output, blue \
             against it. All words and special tokens together add up to the output."
        }
        "deep_lift" => {
            "What each word adds between a text without content and this one, handed back op by op; all add up."
        }
        "lrp" => {
            "What each word passed on towards the output, layer by layer: red speaks for the output, blue against it."
        }
        "attention" => "Which words one layer's attention looked at, whatever the output.",
        "attention_rollout" => {
            "Which words attention looked at, followed through the layers, whatever the output."
        }
        "attention_x_gradient" => "Which words the attention took the output from, layer by layer.",
        "guided_backprop" => {
            "Which words positive signals come from. Most of it stays when the model is redrawn at random."
        }
        "smoothgrad" => {
            "The gradient averaged over many noisy copies of the words' vectors: red raises the output."
        }
        "smoothgrad_sq" => "How strong the gradient is over many noisy copies of the words' vectors.",
        "vargrad" => "How much the gradient varies over many noisy copies of the words' vectors.",
        _ => "",
    }
}
