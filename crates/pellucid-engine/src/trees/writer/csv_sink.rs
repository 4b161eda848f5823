//! Lines → CSV.

use std::io::Write;

use csv::ByteRecord;

use super::Line;
use crate::file::Pending;

/// Columns `row`, `target` (where there are several), `output`, `base_value`, and one for each value.
pub(crate) struct CsvSink {
    file: csv::Writer<Pending>,
    has_targets: bool,
}

impl CsvSink {
    pub(crate) fn new(file: Pending, names: &[String], n_targets: usize) -> Result<Self, String> {
        let mut file = csv::Writer::from_writer(file);
        let has_targets = n_targets > 1;
        let head = ["row", "target", "output", "base_value"]
            .into_iter()
            .filter(|name| has_targets || *name != "target");
        file.write_record(head.chain(names.iter().map(String::as_str))).map_err(|error| error.to_string())?;
        Ok(Self { file, has_targets })
    }

    pub(crate) fn write(&mut self, lines: &[Line]) -> Result<(), String> {
        let mut cells = ByteRecord::new();
        for line in lines {
            cells.clear();
            push(&mut cells, line.row);
            if self.has_targets {
                cells.push_field(line.label.as_bytes());
            }
            push(&mut cells, line.output);
            match line.base_value.is_nan() {
                true => cells.push_field(b""),
                false => push(&mut cells, line.base_value),
            }
            line.values.iter().for_each(|value| push(&mut cells, value));
            self.file.write_byte_record(&cells).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<Pending, String> {
        self.file.into_inner().map_err(|error| error.error().to_string())
    }
}

/// A number as a cell, in as few digits as bring it back: at most 327 characters for f64.
fn push(cells: &mut ByteRecord, number: impl std::fmt::Display) {
    let mut text = [0u8; 400];
    let mut rest = &mut text[..];
    let free = if write!(rest, "{number}").is_ok() { rest.len() } else { 400 };
    cells.push_field(&text[..400 - free]);
}
