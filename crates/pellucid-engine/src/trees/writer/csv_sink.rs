//! Lines → CSV.

use std::io::Write;

use csv::ByteRecord;
use rayon::prelude::*;

use super::{Header, Line};
use crate::file::Pending;

/// Lines that a thread writes at a time.
const CHUNK_LINES: usize = 512;

/// Columns `row`, `target` (where there are several), `output`, `base_value`, one for each value, and one for each
/// standard error where there are some.
pub(crate) struct CsvSink {
    file: Pending,
    has_targets: bool,
}

impl CsvSink {
    pub(crate) fn new(mut file: Pending, header: &Header) -> Result<Self, String> {
        let mut head = csv::Writer::from_writer(&mut file);
        head.write_record(&header.names).map_err(|error| error.to_string())?;
        head.flush().map_err(|error| error.to_string())?;
        drop(head);
        Ok(Self { file, has_targets: header.has_targets })
    }

    /// All threads turn numbers into text, which comes into the file in order.
    pub(crate) fn write(&mut self, lines: &[Line]) -> Result<(), String> {
        let chunks: Result<Vec<Vec<u8>>, String> =
            lines.par_chunks(CHUNK_LINES).map(|lines| text(lines, self.has_targets)).collect();
        chunks?.iter().try_for_each(|text| self.file.write_all(text)).map_err(|error| error.to_string())
    }

    pub(crate) fn finish(self) -> Result<Pending, String> {
        Ok(self.file)
    }
}

fn text(lines: &[Line], has_targets: bool) -> Result<Vec<u8>, String> {
    let mut text = csv::Writer::from_writer(Vec::new());
    let mut cells = ByteRecord::new();
    for line in lines {
        cells.clear();
        push(&mut cells, line.row);
        if has_targets {
            cells.push_field(line.label.as_bytes());
        }
        push(&mut cells, line.output);
        match line.base_value.is_nan() {
            true => cells.push_field(b""),
            false => push(&mut cells, line.base_value),
        }
        line.values.iter().chain(&line.errors).for_each(|value| push(&mut cells, value));
        text.write_byte_record(&cells).map_err(|error| error.to_string())?;
    }
    text.into_inner().map_err(|error| error.error().to_string())
}

/// A number as a cell, in as few digits as bring it back: at most 327 characters for f64.
fn push(cells: &mut ByteRecord, number: impl std::fmt::Display) {
    let mut text = [0u8; 400];
    let mut rest = &mut text[..];
    let free = if write!(rest, "{number}").is_ok() { rest.len() } else { 400 };
    cells.push_field(&text[..400 - free]);
}
