//! [`Explanation`] ⇄ JSON and `.npz`. The forms here are what is promised to readers, apart from the types inside.
//!
//! Either file holds everything. In the JSON document arrays are nested lists of numbers. In the `.npz` archive they are
//! arrays of the same names, and `about` holds the rest as the UTF-8 bytes of the same JSON document without arrays:
//!
//! ```python
//! archive = numpy.load("explanation.npz")
//! about = json.loads(archive["about"].tobytes())
//! ```

mod about;
mod data;
mod nested;

use std::path::Path;

use ndarray::{Array1, ArrayD};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::explanation::Explanation;
use crate::file;
use crate::npy;
use crate::npz::{self, Npz};
use about::About;
pub(crate) use data::fits_f32;
use data::{Data, DataType};
use nested::Nested;

/// An explanation as a JSON document.
#[derive(Serialize, Deserialize)]
struct Document {
    #[serde(flatten)]
    about: About,
    evaluations: Vec<usize>,
    outputs: Nested<f64>,
    base_values: Option<Nested<f64>>,
    convergence_delta: Option<Nested<f64>>,
    values: Nested<f64>,
    standard_error: Option<Nested<f64>>,
    raw_map: Option<Nested<f64>>,
    #[serde(default)]
    data_type: DataType,
    data: Data,
    baselines: Option<Nested<f32>>,
}

impl Explanation {
    /// The explanation in a file, `.npz` or JSON: the content tells.
    ///
    /// # Errors
    /// A file that cannot be read or holds no explanation.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = file::read(path)?;
        let named = |error: Error| Error::input(path, error.to_string());
        if bytes.starts_with(b"PK") {
            return Self::from_npz(&bytes).map_err(named);
        }
        let text =
            String::from_utf8(bytes).map_err(|_| Error::input(path, "is no explanation, JSON or .npz"))?;
        if text.contains("\"pellucid.table_summary\"") {
            let reason = "tells of a large table in sum; take the sample.npz beside it";
            return Err(Error::input(path, reason));
        }
        if text.contains("\"pellucid.text_explanations\"") {
            let reason = "holds explanations of texts, which are not read again; log them as they are explained, with --log";
            return Err(Error::input(path, reason));
        }
        Self::from_json(&text).map_err(named)
    }

    /// The explanation as a JSON document.
    ///
    /// # Errors
    /// [`Error::NotFinite`]: JSON has no NaN.
    pub fn to_json(&self) -> Result<String, Error> {
        self.check_finite()?;
        let optional = |array: &Option<ArrayD<f64>>| array.clone().map(Nested);
        let document = Document {
            about: About::of(&self.about),
            evaluations: self.evaluations.clone(),
            outputs: Nested(self.outputs.clone()),
            base_values: optional(&self.base_values),
            convergence_delta: optional(&self.convergence_delta),
            values: Nested(self.values.clone()),
            standard_error: optional(&self.standard_error),
            raw_map: optional(&self.raw_map),
            data_type: DataType::of(&self.data),
            data: Data(self.data.clone()),
            baselines: self.baselines.clone().map(Nested),
        };
        serde_json::to_string(&document).map_err(|error| fault(error.to_string()))
    }

    /// The explanation in a JSON document.
    ///
    /// # Errors
    /// No such document, one of a newer schema, arrays that do not fit together.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let document: Document = serde_json::from_str(text).map_err(|error| fault(error.to_string()))?;
        let optional = |array: Option<Nested<f64>>| array.map(|nested| nested.0);
        let explanation = Self {
            values: document.values.0,
            outputs: document.outputs.0,
            base_values: optional(document.base_values),
            convergence_delta: optional(document.convergence_delta),
            standard_error: optional(document.standard_error),
            raw_map: optional(document.raw_map),
            data: document.data_type.read(document.data.0),
            baselines: document.baselines.map(|nested| nested.0),
            evaluations: document.evaluations,
            about: document.about.into_about().map_err(fault)?,
        };
        explanation.check_shapes().map_err(fault)?;
        Ok(explanation)
    }

    /// The explanation as the bytes of an `.npz` archive.
    ///
    /// # Errors
    /// [`Error::NotFinite`].
    pub fn to_npz(&self) -> Result<Vec<u8>, Error> {
        self.check_finite()?;
        let about =
            serde_json::to_vec_pretty(&About::of(&self.about)).map_err(|error| fault(error.to_string()))?;
        let evaluations = Array1::from_iter(self.evaluations.iter().map(|&n| n as i64));
        let mut arrays = vec![
            ("about", npy::bytes(&Array1::from(about).into_dyn())),
            ("values", npy::bytes(&self.values)),
            ("outputs", npy::bytes(&self.outputs)),
            ("data", data::npy_bytes(&self.data)),
            ("evaluations", npy::bytes(&evaluations.into_dyn())),
        ];
        let mut add = |name, array: &Option<ArrayD<f64>>| {
            arrays.extend(array.as_ref().map(|array| (name, npy::bytes(array))));
        };
        add("base_values", &self.base_values);
        add("convergence_delta", &self.convergence_delta);
        add("standard_error", &self.standard_error);
        add("raw_map", &self.raw_map);
        arrays.extend(self.baselines.as_ref().map(|baselines| ("baselines", npy::bytes(baselines))));
        npz::bytes(&arrays).map_err(fault)
    }

    /// The explanation in an `.npz` archive.
    ///
    /// # Errors
    /// No such archive, one of a newer schema, arrays that do not fit together.
    pub fn from_npz(bytes: &[u8]) -> Result<Self, Error> {
        let explanation = read_npz(bytes).map_err(fault)?;
        explanation.check_shapes().map_err(fault)?;
        Ok(explanation)
    }

    /// Whether the arrays belong together; in words what does not.
    fn check_shapes(&self) -> Result<(), String> {
        let n_rows = self.data.shape().first().copied().unwrap_or(0);
        let about = &self.about;
        let n_told = about.all_outputs.as_ref().map_or(n_rows, Vec::len);
        let lengths = [self.evaluations.len(), about.inputs.len(), about.predictions.len(), n_told];
        if self.outputs.shape().first() != Some(&n_rows) || lengths.iter().any(|&n| n != n_rows) {
            return Err(format!("`data` has {n_rows} rows, and other parts have more or fewer"));
        }
        let indices = about.target.indices.as_ref();
        let of_targets = |row: &Vec<usize>| row.len() == self.n_targets();
        if indices.is_some_and(|rows| rows.len() != n_rows || !rows.iter().all(of_targets)) {
            return Err("`target` has other rows than `outputs`".to_owned());
        }
        let like = |name: &str, array: &Option<ArrayD<f64>>, other: &ArrayD<f64>| match array {
            Some(array) if array.shape() != other.shape() => {
                Err(format!("`{name}` has shape {:?}, expected {:?}", array.shape(), other.shape()))
            }
            _ => Ok(()),
        };
        like("base_values", &self.base_values, &self.outputs)?;
        like("convergence_delta", &self.convergence_delta, &self.outputs)?;
        like("standard_error", &self.standard_error, &self.values)?;
        let values = self.values.shape();
        let targets = if self.outputs.ndim() == 2 { &values[values.len().saturating_sub(1)..] } else { &[] };
        match values.first() == Some(&n_rows) && targets == &self.outputs.shape()[1..] {
            true => Ok(()),
            false => Err(format!("`values` has shape {values:?}, which does not fit {n_rows} rows")),
        }
    }
}

fn read_npz(bytes: &[u8]) -> Result<Explanation, String> {
    let mut npz = Npz::open(bytes)?;
    let names = npz.names();
    let about: Vec<u8> = npz.array("about")?.iter().map(|&byte| byte as u8).collect();
    let about: About = serde_json::from_slice(&about).map_err(|error| format!("`about`: {error}"))?;
    let mut optional = |name: &str| match names.iter().any(|known| known == name) {
        true => npz.array(name).map(Some),
        false => Ok(None),
    };
    let (base_values, convergence_delta) = (optional("base_values")?, optional("convergence_delta")?);
    let (standard_error, raw_map) = (optional("standard_error")?, optional("raw_map")?);
    let baselines = optional("baselines")?;
    Ok(Explanation {
        values: npz.array("values")?,
        outputs: npz.array("outputs")?,
        base_values,
        convergence_delta,
        standard_error,
        raw_map,
        data: npz.array("data")?,
        baselines: baselines.map(|baselines| baselines.mapv(|x| x as f32)),
        evaluations: npz.array("evaluations")?.iter().map(|&n| n as usize).collect(),
        about: about.into_about()?,
    })
}

fn fault(reason: String) -> Error {
    Error::Input { path: "explanation".to_owned(), reason }
}

#[cfg(test)]
pub(crate) mod tests;
