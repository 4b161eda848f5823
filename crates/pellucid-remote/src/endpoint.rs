//! A served model that predicts.

use std::time::Instant;

use ndarray::{Array2, ArrayD, ArrayViewD};
use pellucid_agnostic::Predictor;

use crate::address::{Address, Protocol};
use crate::ask::{Asker, Patience};
use crate::error::Error;
use crate::{v1, v2};

/// How a served model is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// How long and how often.
    pub patience: Patience,
    /// After this nothing is asked again.
    pub deadline: Option<Instant>,
    /// Sent as `Authorization: Bearer …`.
    pub token: Option<String>,
    /// The shape of a row, where the server leaves lengths open or tells none (V1).
    pub row_shape: Option<Vec<usize>>,
    /// The output by name (V2); the first one otherwise.
    pub output: Option<String>,
}

/// A served model.
pub struct Endpoint {
    address: Address,
    asker: Asker,
    row_shape: Vec<usize>,
    n_outputs: usize,
    /// V2: the input as the server describes it.
    input: Option<v2::TensorMetadata>,
    output: Option<String>,
    /// What the server says of itself.
    version: String,
}

impl Endpoint {
    /// Asks the server what its model takes, and once for a prediction of zeros, which tells the number of outputs.
    ///
    /// # Errors
    /// A server that does not answer, a model with several inputs, open lengths that nobody gave, an answer that does not follow the
    /// protocol.
    pub fn connect(address: Address, options: Options) -> Result<Self, Error> {
        let asker = Asker::new(options.patience, options.token, options.deadline);
        let mut endpoint = Self {
            asker,
            row_shape: Vec::new(),
            n_outputs: 0,
            input: None,
            output: options.output,
            version: String::new(),
            address,
        };
        match endpoint.address.protocol() {
            Protocol::V2 => endpoint.read_metadata(options.row_shape)?,
            Protocol::V1 => {
                endpoint.row_shape = options.row_shape.ok_or_else(|| Error::Setting {
                    option: "input_shape",
                    reason:
                        "a KServe V1 server does not tell what its model takes; give the shape of one row"
                            .to_owned(),
                })?;
            }
        }
        let shape: Vec<usize> = [1].iter().chain(&endpoint.row_shape).copied().collect();
        endpoint.n_outputs = endpoint.outputs(ArrayD::zeros(shape).view())?.ncols();
        Ok(endpoint)
    }

    fn read_metadata(&mut self, row_shape: Option<Vec<usize>>) -> Result<(), Error> {
        let address = self.address.metadata();
        let fault = |reason: String| Error::Answer { address: address.clone(), reason };
        let body = self.asker.get(&address)?;
        let metadata: v2::Metadata =
            serde_json::from_slice(&body).map_err(|error| fault(format!("no model metadata: {error}")))?;
        let [input] = metadata.inputs.as_slice() else {
            let names: Vec<&str> = metadata.inputs.iter().map(|input| input.name.as_str()).collect();
            let reason = format!("the model takes the inputs {}; exactly one is supported", names.join(", "));
            return Err(fault(reason));
        };
        if let Some(name) = &self.output
            && !metadata.outputs.iter().any(|output| output.name == *name)
        {
            let names: Vec<&str> = metadata.outputs.iter().map(|output| output.name.as_str()).collect();
            let reason = format!("the model has no output `{name}`; it has {}", names.join(", "));
            return Err(Error::Setting { option: "output", reason });
        }
        let declared: Option<Vec<usize>> =
            input.shape.iter().skip(1).map(|&length| usize::try_from(length).ok()).collect();
        self.row_shape = row_shape.or(declared).ok_or_else(|| Error::Setting {
            option: "input_shape",
            reason: format!("the server leaves lengths of {:?} open; give the shape of one row", input.shape),
        })?;
        self.version = format!("{} {}", metadata.platform, metadata.versions.join(", ")).trim().to_owned();
        self.input = Some(input.clone());
        Ok(())
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Platform and versions, as the server tells them.
    pub fn version(&self) -> &str {
        &self.version
    }

    fn outputs(&self, rows: ArrayViewD<'_, f64>) -> Result<Array2<f64>, Error> {
        let address = self.address.predict();
        let fault = |reason: String| Error::Answer { address: address.clone(), reason };
        let (n_rows, output) = (rows.shape()[0], self.output.as_deref());
        let question = match &self.input {
            Some(input) => v2::question(input, output, rows),
            None => v1::question(rows),
        };
        let body = self.asker.post(&address, &question.map_err(fault)?)?;
        let outputs = match &self.input {
            Some(_) => v2::answer(&body, output, n_rows),
            None => v1::answer(&body, n_rows),
        };
        outputs.map_err(fault)
    }
}

impl Predictor for Endpoint {
    fn row_shape(&self) -> &[usize] {
        &self.row_shape
    }

    fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    fn predict_batch(&self, rows: ArrayViewD<'_, f64>) -> Result<Array2<f64>, pellucid_agnostic::Error> {
        let outputs = self.outputs(rows);
        Ok(outputs.map_err(|error| pellucid_core::Error::Model { reason: error.to_string() })?)
    }
}
