//! Lines → an `.npz` archive, by way of unnamed files: an array's length stands before its elements.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::Line;
use crate::file::Pending;
use crate::npy;

/// Arrays `values` `[rows, targets, values]`, `standard_error` of the same shape where values are estimated, `outputs` and `base_values` `[rows, targets]`, and `value_names`, the UTF-8
/// bytes of a JSON list; without the axis of targets where there is one.
pub(crate) struct NpzSink {
    file: Pending,
    values: BufWriter<File>,
    errors: Option<BufWriter<File>>,
    outputs: BufWriter<File>,
    base_values: BufWriter<File>,
    names: Vec<u8>,
    n_values: usize,
    n_targets: usize,
}

impl NpzSink {
    pub(crate) fn new(
        file: Pending,
        folder: &Path,
        names: &[String],
        n_targets: usize,
        has_errors: bool,
    ) -> Result<Self, String> {
        let unnamed = || tempfile::tempfile_in(folder).map(BufWriter::new).map_err(|error| error.to_string());
        let (values, outputs, base_values) = (unnamed()?, unnamed()?, unnamed()?);
        let errors = has_errors.then(unnamed).transpose()?;
        let n_values = names.len();
        let names = serde_json::to_vec(names).map_err(|error| error.to_string())?;
        Ok(Self { file, values, errors, outputs, base_values, names, n_values, n_targets })
    }

    pub(crate) fn write(&mut self, lines: &[Line]) -> Result<(), String> {
        self.write_lines(lines).map_err(|error| error.to_string())
    }

    fn write_lines(&mut self, lines: &[Line]) -> std::io::Result<()> {
        for line in lines {
            self.outputs.write_all(&line.output.to_le_bytes())?;
            self.base_values.write_all(&line.base_value.to_le_bytes())?;
            for value in &line.values {
                self.values.write_all(&value.to_le_bytes())?;
            }
            if let Some(errors) = &mut self.errors {
                line.errors.iter().try_for_each(|error| errors.write_all(&error.to_le_bytes()))?;
            }
        }
        Ok(())
    }

    pub(crate) fn finish(self, n_rows: usize) -> Result<Pending, String> {
        let of_row: Vec<usize> = if self.n_targets == 1 { vec![] } else { vec![self.n_targets] };
        let outputs_shape: Vec<usize> = [n_rows].into_iter().chain(of_row).collect();
        let values_shape = [outputs_shape.as_slice(), &[self.n_values]].concat();
        let mut archive = ZipWriter::new(self.file);
        let errors = self.errors.map(|errors| ("standard_error", errors, values_shape.clone()));
        let arrays = [
            ("values", self.values, values_shape),
            ("outputs", self.outputs, outputs_shape.clone()),
            ("base_values", self.base_values, outputs_shape),
        ];
        let arrays = arrays.into_iter().chain(errors);
        for (name, elements, shape) in arrays {
            add(&mut archive, name, elements, &shape).map_err(|error| error.to_string())?;
        }
        let names = npy::bytes(&ndarray::Array1::from(self.names).into_dyn());
        archive.start_file("value_names.npy", options(0)).map_err(|error| error.to_string())?;
        archive.write_all(&names).map_err(|error| error.to_string())?;
        archive.finish().map_err(|error| error.to_string())
    }
}

fn add(
    archive: &mut ZipWriter<Pending>,
    name: &str,
    elements: BufWriter<File>,
    shape: &[usize],
) -> std::io::Result<()> {
    let mut elements = elements.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    let n_bytes = elements.seek(SeekFrom::End(0))?;
    elements.seek(SeekFrom::Start(0))?;
    archive.start_file(format!("{name}.npy"), options(n_bytes)).map_err(std::io::Error::other)?;
    archive.write_all(&npy::header::<f64>(shape))?;
    std::io::copy(&mut elements, archive)?;
    Ok(())
}

/// No clock goes in: same arrays, same bytes. Attributions hardly shrink, so little effort is spent on it.
fn options(n_bytes: u64) -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(1))
        .last_modified_time(zip::DateTime::default())
        .large_file(n_bytes > u64::from(u32::MAX) / 2)
}
