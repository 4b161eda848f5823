//! What was found, what is used, and why.

use std::fmt;
use std::path::PathBuf;

use crate::onnxruntime::OnnxRuntime;
use crate::onnxruntime::library::{Place, Surroundings, python_environments, search};
use crate::{Options, choose, cpu_features, embedded};

/// The state of the machine and of the installation, as far as it decides how models run.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Doctor {
    /// Pellucid's version.
    pub version: String,
    /// Architecture and features of the processor.
    pub cpu: String,
    /// Threads that one run uses.
    pub threads: usize,
    /// Roots of the Python environments found, the active one first.
    pub python_environments: Vec<PathBuf>,
    /// The runtime that is compiled in.
    pub embedded: String,
    /// Every place where ONNX Runtime was looked for, in order.
    pub places: Vec<Place>,
    /// The library that loads, or why none does.
    pub onnxruntime: Result<Library, String>,
    /// What was asked for: auto, rten, onnxruntime.
    pub choice: String,
    /// The fingerprint of the runtime in use, or why there is none.
    pub used: Result<String, String>,
    /// Why this one.
    pub why: String,
}

/// An ONNX Runtime library that loads.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Library {
    /// Name and version.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// Its execution providers, by name.
    pub execution_providers: Vec<String>,
}

/// Looks at the machine as [`crate::runtime`] would with the same `options`.
pub fn doctor(options: &Options) -> Doctor {
    let around = Surroundings::of_process();
    let (used, why) = match choose(options) {
        Ok(chosen) => (Ok(chosen.runtime.fingerprint()), chosen.why),
        Err(error) => (Err(error.to_string()), String::new()),
    };
    Doctor {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        cpu: cpu_features(),
        threads: options.threads,
        python_environments: python_environments(&around).into_iter().map(|(_, root)| root).collect(),
        embedded: embedded::NAME.to_owned(),
        places: search(options.library.as_deref(), &around),
        onnxruntime: library(options),
        choice: options.choice.to_string(),
        used,
        why,
    }
}

fn library(options: &Options) -> Result<Library, String> {
    let plain = Options { execution_providers: Vec::new(), ..options.clone() };
    let opened = OnnxRuntime::open(&plain).map_err(|error| error.to_string())?;
    Ok(Library {
        name: opened.name().to_owned(),
        path: opened.library().to_path_buf(),
        execution_providers: OnnxRuntime::available_providers(),
    })
}

impl fmt::Display for Doctor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "pellucid       {}", self.version)?;
        writeln!(f, "processor      {}", self.cpu)?;
        writeln!(f, "threads        {}", self.threads)?;
        for (index, root) in self.python_environments.iter().enumerate() {
            writeln!(f, "{:<14} {}", if index == 0 { "python" } else { "" }, root.display())?;
        }
        writeln!(f, "compiled in    {}", self.embedded)?;
        match &self.onnxruntime {
            Ok(library) => {
                writeln!(f, "found          {} at {}", library.name, library.path.display())?;
                writeln!(
                    f,
                    "               execution providers: {}",
                    library.execution_providers.join(", ")
                )?;
            }
            Err(reason) => writeln!(f, "not usable     {reason}")?,
        }
        writeln!(f, "looked at")?;
        for place in &self.places {
            let found =
                place.library.as_ref().map_or("nothing".to_owned(), |path| path.display().to_string());
            writeln!(f, "               {} ({}): {found}", place.path.display(), place.source)?;
        }
        writeln!(f, "asked for      {}", self.choice)?;
        match &self.used {
            Ok(fingerprint) => write!(f, "used           {fingerprint}: {}", self.why),
            Err(reason) => write!(f, "used           none: {reason}"),
        }
    }
}
