//! `pellucid explain` by predictions alone: of any model file, and of served models.

use pellucid_engine::{
    AgnosticMethod, AgnosticOptions, AgnosticRequest, Cancellation, Explanation, MethodOptions, OutputTarget,
    PredictedModel, PredictedRows, Work, explain_predicted,
};

use crate::arguments::{AgnosticArguments, ExplainArguments, TreeArguments};
use crate::console::Console;
use crate::failure::Failure;
use crate::log::{Explained, Keep};
use crate::predicted::{Asked, Read, address};
use crate::{open, summary, tables};

/// Whether the arguments ask for an explanation by predictions alone.
pub(crate) fn is_asked(arguments: &ExplainArguments) -> bool {
    address(&arguments.what).is_some()
        || arguments.method.method.as_deref().is_some_and(AgnosticMethod::is_one)
}

pub(crate) fn explain(
    arguments: &ExplainArguments,
    console: &Console,
    cancellation: &Cancellation,
    keep: Keep<'_>,
) -> Result<(), Failure> {
    let ExplainArguments { what, trees, agnostic, work, .. } = arguments;
    let explaining = Explaining { arguments, console, cancellation, keep };
    let asked = Asked { what, trees, served: &agnostic.served, work };
    asked.with_model(|model, read, _| explaining.run(model, read))
}

struct Explaining<'a> {
    arguments: &'a ExplainArguments,
    console: &'a Console,
    cancellation: &'a Cancellation,
    keep: Keep<'a>,
}

impl Explaining<'_> {
    fn run(&self, model: PredictedModel<'_>, read: Read<'_>) -> Result<(), Failure> {
        let arguments = self.arguments;
        let asked = ByPredictions {
            method: arguments.method.method.as_deref(),
            options: arguments.method.options.options(),
            trees: &arguments.trees,
            agnostic: &arguments.agnostic,
            target: &arguments.target,
            seed: arguments.work.seed,
        };
        let rows = read(&arguments.what.inputs, &arguments.kept())?;
        let work = open::work(&arguments.work, arguments.json, "predictions", self.cancellation);
        let (explanation, method) = asked.explain(model, &rows, read, &work)?;
        (self.keep)(Explained::Rows(&explanation))?;
        let written = self.written(&explanation)?;
        match arguments.json {
            true => self.console.print(&explanation.to_json()?),
            false => self.console.print(&summary::text(&explanation, &method.parameters(), &written)),
        }
    }

    /// All of the explanation, and for tables and images its pictures.
    fn written(&self, explanation: &Explanation) -> Result<Vec<String>, Failure> {
        let Some(folder) = &self.arguments.out else { return Ok(Vec::new()) };
        let mut files = open::files_of(explanation)?;
        let gives_pairs = explanation.about.method == "pairwise_interactions";
        // Of values that do not add up, no chart shows how they do.
        if explanation.data.ndim() == 2 && (!gives_pairs || explanation.base_values.is_some()) {
            files.extend(tables::pictures(explanation)?);
        }
        if gives_pairs {
            files.extend(tables::interactions(explanation)?);
        }
        open::write_files(folder, &files)
    }
}

/// What says how rows are explained by predictions alone.
pub(crate) struct ByPredictions<'a> {
    pub(crate) method: Option<&'a str>,
    pub(crate) options: MethodOptions,
    pub(crate) trees: &'a TreeArguments,
    pub(crate) agnostic: &'a AgnosticArguments,
    pub(crate) target: &'a str,
    pub(crate) seed: u64,
}

impl ByPredictions<'_> {
    /// The explanation of `rows`, and the method that gave it.
    pub(crate) fn explain(
        self,
        model: PredictedModel<'_>,
        rows: &PredictedRows,
        read: Read<'_>,
        work: &Work,
    ) -> Result<(Explanation, AgnosticMethod), Failure> {
        let model = match &self.agnostic.journal {
            Some(path) => model.kept_in(path)?,
            None => model,
        };
        let (name, seed) = (self.method.unwrap_or("kernel-shap"), self.seed);
        let names = rows.feature_names.as_deref();
        let target = OutputTarget::parse(self.target)?;
        let options = options(self.options, self.trees, self.agnostic)?;
        let method = AgnosticMethod::new(name, &options, &model, seed, names, |paths| read(paths, &[]))?;
        let request = AgnosticRequest { method, target, seed };
        let explanation = explain_predicted(&model, rows, &request, work)?;
        Ok((explanation, request.method))
    }
}

/// What the arguments say of a method for any model.
pub(crate) fn options(
    networks: MethodOptions,
    trees: &TreeArguments,
    given: &AgnosticArguments,
) -> Result<AgnosticOptions, Failure> {
    let mut options = AgnosticOptions::of(networks, trees.options())?;
    options.masking.background_clusters = given.background_clusters;
    options.masking.feature_group_names = given.feature_groups.clone();
    options.masking.segments = given.segments.clone();
    (options.masking.channels, options.masking.time_axis) = (given.channels.clone(), given.time_axis);
    options.kernel_width = given.kernel_width;
    options.link = given.link.clone();
    (options.window, options.strides) = (given.window.clone(), given.strides.clone());
    Ok(options)
}
