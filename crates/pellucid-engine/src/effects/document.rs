//! Global effects → files and JSON.

use serde_json::{Map, Value, json};

use super::{EffectFeature, EffectTable};
use crate::error::Error;
use crate::file::csv_bytes;
use crate::trees::{json_of, nested};

impl EffectTable {
    /// The effects as a JSON document.
    pub fn to_json(&self) -> String {
        let parameters: Map<String, Value> =
            self.parameters.iter().map(|(name, value)| ((*name).to_owned(), json_of(value))).collect();
        let curves = self.curves.as_ref();
        let curves = curves
            .map(|curves| json!({"rows": curves.rows, "values": nested(curves.values.view().into_dyn())}));
        let document = json!({
            "schema": "pellucid.effects",
            "schema_version": 1,
            "pellucid_version": env!("CARGO_PKG_VERSION"),
            "kind": self.kind.name(),
            "parameters": parameters,
            "model": self.model.to_json(),
            "features": self.features.iter().map(of_feature).collect::<Vec<_>>(),
            "output_space": self.output_space.name(),
            "outputs": self.outputs,
            "n_rows": self.n_rows,
            "grid": nested(self.grid.view().into_dyn()),
            "mean": nested(self.mean.view().into_dyn()),
            "standard_error": self.standard_error.as_ref().map(|errors| nested(errors.view().into_dyn())),
            "confidence": self.standard_error.as_ref().map(|_| self.confidence),
            "rows_in_bins": self.rows_in_bins.as_ref().map(|rows| nested(rows.mapv(|n| n as f64).view())),
            "curves": curves,
            "warnings": self.warnings,
        });
        document.to_string()
    }

    /// `effects.json`, `effects.csv` with a line for each point and output, and `curves.csv` with a line for each row,
    /// point and output.
    ///
    /// # Errors
    /// Those of the writer of tables.
    pub fn files(&self) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let mut files = vec![
            ("effects.json".to_owned(), self.to_json().into_bytes()),
            ("effects.csv".to_owned(), self.means_csv()?),
        ];
        if self.curves.is_some() {
            files.push(("curves.csv".to_owned(), self.curves_csv()?));
        }
        Ok(files)
    }

    fn means_csv(&self) -> Result<Vec<u8>, Error> {
        let lines = self.mean.indexed_iter().map(|((point, output), mean)| {
            let errors = self.standard_error.iter().map(|errors| errors[[point, output]]);
            let ends = self.interval(point, output).into_iter().flat_map(|(low, high)| [low, high]);
            let numbers = [*mean].into_iter().chain(errors).chain(ends).map(|x| x.to_string());
            self.cells(point, output).into_iter().chain(numbers).collect()
        });
        let known = if self.standard_error.is_some() { 4 } else { 1 };
        let names = ["mean", "standard_error", "low", "high"][..known].iter().map(|&name| name.to_owned());
        csv_bytes(self.header().into_iter().chain(names).collect(), lines)
    }

    fn curves_csv(&self) -> Result<Vec<u8>, Error> {
        let cells_of = |row: usize, point: usize, output: usize, value: f64| {
            [vec![row.to_string()], self.cells(point, output), vec![value.to_string()]].concat()
        };
        let lines = self.curves.iter().flat_map(|curves| {
            let values = curves.values.indexed_iter();
            values.map(move |((row, point, output), &value)| cells_of(curves.rows[row], point, output, value))
        });
        let (first, last) = (vec!["row".to_owned()], vec!["value".to_owned()]);
        csv_bytes([first, self.header(), last].concat(), lines)
    }

    fn header(&self) -> Vec<String> {
        let features = self.features.iter().map(|feature| feature.name.clone());
        features.chain(["output".to_owned()]).collect()
    }

    fn cells(&self, point: usize, output: usize) -> Vec<String> {
        let features = self.features.iter().zip(self.grid.row(point));
        let values = features.map(|(feature, &value)| feature.shown(value));
        values.chain([self.outputs[output].clone()]).collect()
    }
}

impl EffectFeature {
    /// A value as people write it: the name of a category.
    pub(crate) fn shown(&self, value: f64) -> String {
        match self.categories.get(value as usize) {
            Some(category) => category.clone(),
            None => value.to_string(),
        }
    }
}

/// A feature, and how its values are spread over the rows.
fn of_feature(feature: &EffectFeature) -> Value {
    let mut sorted: Vec<f64> = feature.data.iter().copied().filter(|x| !x.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let decile = |tenth: usize| sorted[tenth * (sorted.len() - 1) / 10];
    let count = |code: usize| sorted.iter().filter(|x| **x == code as f64).count();
    let is_plain = feature.categories.is_empty() && !sorted.is_empty();
    json!({
        "name": feature.name,
        "categories": feature.categories,
        "n_missing": feature.data.len() - sorted.len(),
        "deciles": is_plain.then(|| (0..=10).map(decile).collect::<Vec<_>>()),
        "counts": (0..feature.categories.len()).map(count).collect::<Vec<_>>(),
    })
}
