//! What a caller may choose.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use pellucid_graph::Error;

/// Which runtime to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RuntimeChoice {
    /// ONNX Runtime where it is found, else rten.
    #[default]
    Auto,
    /// The one compiled in.
    Rten,
    /// ONNX Runtime, or an error.
    OnnxRuntime,
}

impl RuntimeChoice {
    const ALL: [Self; 3] = [Self::Auto, Self::Rten, Self::OnnxRuntime];

    /// The choice in the environment variable `PELLUCID_RUNTIME`; [`RuntimeChoice::Auto`] where it is not set.
    ///
    /// # Errors
    /// The variable holds something else.
    pub fn from_environment() -> Result<Self, Error> {
        match std::env::var("PELLUCID_RUNTIME") {
            Ok(name) if !name.is_empty() => {
                name.parse().map_err(|error| runtime_error(format!("PELLUCID_RUNTIME: {error}")))
            }
            _ => Ok(Self::Auto),
        }
    }
}

impl fmt::Display for RuntimeChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Rten => "rten",
            Self::OnnxRuntime => "onnxruntime",
        })
    }
}

impl FromStr for RuntimeChoice {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|choice| choice.to_string() == name).ok_or_else(|| {
            runtime_error(format!("no runtime named `{name}`; there are auto, rten and onnxruntime"))
        })
    }
}

/// Settings of a runtime, checked when it is opened.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Which runtime.
    pub choice: RuntimeChoice,
    /// Threads that one run may use, at least 1.
    pub threads: usize,
    /// The cap on cached sessions, in bytes. A session counts as twice its graph's constants (runtimes keep packed
    /// copies beside the originals) and 64 KiB. One larger than the cap is used and not kept.
    pub cache_bytes: usize,
    /// The ONNX Runtime library, or a folder that holds it; `None` searches (see [`crate::doctor`]).
    pub library: Option<PathBuf>,
    /// Execution providers of ONNX Runtime in order of preference, `cuda` or `CUDAExecutionProvider`; the CPU comes
    /// last in any case.
    pub execution_providers: Vec<String>,
}

impl Default for Options {
    /// `auto`, all available cores, 1 GiB of cached sessions.
    fn default() -> Self {
        Self {
            choice: RuntimeChoice::Auto,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            cache_bytes: 1 << 30,
            library: None,
            execution_providers: Vec::new(),
        }
    }
}

impl Options {
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.threads == 0 {
            return Err(runtime_error("threads: expected at least 1, got 0"));
        }
        if self.choice == RuntimeChoice::Rten && !self.execution_providers.is_empty() {
            return Err(runtime_error(format!(
                "rten has no execution providers, got `{}`; choose the runtime onnxruntime",
                self.execution_providers.join("`, `")
            )));
        }
        Ok(())
    }
}

pub(crate) fn runtime_error(reason: impl Into<String>) -> Error {
    Error::Runtime { reason: reason.into() }
}
