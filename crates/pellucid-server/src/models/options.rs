//! A method's options by their names, as `pellucid.toml` and requests give them, → the engine's own.

use pellucid_engine::{AgnosticOptions, MethodOptions, TreeOptions};
use serde_json::{Map, Value};

use crate::error::Fault;

/// The options of all methods; each method takes its own and refuses others.
#[derive(Default)]
pub(crate) struct Given {
    pub(crate) networks: MethodOptions,
    pub(crate) trees: TreeOptions,
    agnostic: AgnosticOptions,
    /// The first option that only methods for any model have.
    pub(crate) of_any: Option<String>,
}

/// An option's value, with the name for what is wrong with it.
struct Setting<'a> {
    name: &'a str,
    value: &'a Value,
}

impl Given {
    pub(crate) fn read(options: &Map<String, Value>) -> Result<Self, Fault> {
        let mut given = Self::default();
        for (name, value) in options {
            let option = Setting { name, value };
            let known = given.set_of_networks(&option)?
                || given.set_of_trees(&option)?
                || given.set_of_any(&option)?;
            if !known {
                return Err(Fault::BadRequest(format!("options: there is no option `{name}`")));
            }
        }
        Ok(given)
    }

    /// The options of a method that needs predictions alone.
    pub(crate) fn agnostic(self) -> Result<AgnosticOptions, Fault> {
        let given = self.agnostic;
        let mut options = AgnosticOptions::of(self.networks, self.trees)?;
        let masking = &mut options.masking;
        masking.background_clusters = given.masking.background_clusters;
        masking.feature_group_names = given.masking.feature_group_names;
        masking.segments = given.masking.segments;
        (masking.channels, masking.time_axis) = (given.masking.channels, given.masking.time_axis);
        options.kernel_width = given.kernel_width;
        options.link = given.link;
        (options.window, options.strides) = (given.window, given.strides);
        Ok(options)
    }

    fn set_of_networks(&mut self, option: &Setting<'_>) -> Result<bool, Fault> {
        let to = &mut self.networks;
        match option.name {
            "absolute" => to.absolute = Some(option.flag()?),
            "baseline" => to.baseline = Some(option.baseline()?),
            "n_steps" => to.n_steps = Some(option.count()?),
            "rule" => to.rule = Some(option.text()?),
            "tolerance" => to.tolerance = Some(option.number()?),
            "max_evaluations" => to.max_evaluations = Some(option.count()?),
            "composite" => to.composite = Some(option.text()?),
            "epsilon" => to.epsilon = Some(option.number()?),
            "gamma" => to.gamma = Some(option.number()?),
            "low" => to.low = Some(option.numbers()?),
            "high" => to.high = Some(option.numbers()?),
            "layer" => to.layer = Some(option.text()?),
            "relu" => to.relu = Some(option.flag()?),
            "base_method" => to.base_method = Some(option.text()?),
            "noise" => to.noise = Some(option.text()?),
            "n_samples" => to.n_samples = Some(option.count()?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn set_of_trees(&mut self, option: &Setting<'_>) -> Result<bool, Fault> {
        let to = &mut self.trees;
        match option.name {
            "removal" => to.removal = Some(option.text()?),
            "index" => to.index = Some(option.text()?),
            "max_order" => to.max_order = Some(option.count()?),
            "max_exact_features" => to.max_exact_features = Some(option.count()?),
            "n_permutations" => to.n_permutations = Some(option.count()?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn set_of_any(&mut self, option: &Setting<'_>) -> Result<bool, Fault> {
        let to = &mut self.agnostic;
        match option.name {
            "background_clusters" => to.masking.background_clusters = Some(option.count()?),
            "feature_groups" => to.masking.feature_group_names = Some(option.text()?),
            "segments" => to.masking.segments = Some(option.text()?),
            "channels" => to.masking.channels = Some(option.text()?),
            "time_axis" => to.masking.time_axis = Some(option.count()?),
            "kernel_width" => to.kernel_width = Some(option.number()?),
            "link" => to.link = Some(option.text()?),
            "window" => to.window = Some(option.counts()?),
            "strides" => to.strides = Some(option.counts()?),
            _ => return Ok(false),
        }
        self.of_any.get_or_insert_with(|| option.name.to_owned());
        Ok(true)
    }
}

impl Setting<'_> {
    fn wrong(&self, expected: &str) -> Fault {
        Fault::BadRequest(format!("options: `{}` is {expected}", self.name))
    }

    fn flag(&self) -> Result<bool, Fault> {
        self.value.as_bool().ok_or_else(|| self.wrong("true or false"))
    }

    fn count(&self) -> Result<usize, Fault> {
        let count = self.value.as_u64().and_then(|count| usize::try_from(count).ok());
        count.ok_or_else(|| self.wrong("a whole number"))
    }

    fn number(&self) -> Result<f64, Fault> {
        self.value.as_f64().ok_or_else(|| self.wrong("a number"))
    }

    fn text(&self) -> Result<String, Fault> {
        self.value.as_str().map(str::to_owned).ok_or_else(|| self.wrong("a text"))
    }

    fn numbers(&self) -> Result<Vec<f64>, Fault> {
        let numbers = self.value.as_array().map(|list| list.iter().map(Value::as_f64).collect());
        numbers.flatten().ok_or_else(|| self.wrong("a list of numbers"))
    }

    fn counts(&self) -> Result<Vec<usize>, Fault> {
        let count = |value: &Value| value.as_u64().and_then(|count| usize::try_from(count).ok());
        let counts = self.value.as_array().map(|list| list.iter().map(count).collect());
        counts.flatten().ok_or_else(|| self.wrong("a list of whole numbers"))
    }

    /// No request and no setting makes the server read a file.
    fn baseline(&self) -> Result<String, Fault> {
        let text = self.text()?;
        match text.starts_with("array:") || text.starts_with("mean:") {
            true => Err(self
                .wrong("one of zeros, value:NUMBER, black, white, blurred:SIGMA here; files are not read")),
            false => Ok(text),
        }
    }
}
