//! CSV, plain or gzipped, read as it comes.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::ByteRecord;
use flate2::read::MultiGzDecoder;

use super::blocks::RowsRead;
use super::cells::Cells;
use super::columns::Columns;
use crate::error::Error;
use crate::table::check_names;

/// A CSV file whose first line names the columns.
pub(crate) struct CsvTable {
    reader: csv::Reader<Box<dyn Read>>,
    header: Vec<String>,
    n_bytes_read: Arc<AtomicU64>,
    n_bytes: u64,
}

/// Counts what is read of a file.
struct Counted {
    file: File,
    n_bytes_read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = self.file.read(into)?;
        self.n_bytes_read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

impl CsvTable {
    pub(crate) fn open(path: &Path, gzipped: bool) -> Result<Self, Error> {
        let fault = |reason: String| Error::input(path, reason);
        let file = File::open(path).map_err(|error| fault(format!("cannot be read: {error}")))?;
        let metadata = file.metadata().map_err(|error| fault(format!("cannot be read: {error}")))?;
        if metadata.is_dir() {
            return Err(fault("is a folder; name a file".to_owned()));
        }
        if metadata.is_file() && metadata.len() == 0 {
            return Err(fault("the file is empty".to_owned()));
        }
        let n_bytes_read = Arc::new(AtomicU64::new(0));
        let counted = Counted { file, n_bytes_read: Arc::clone(&n_bytes_read) };
        let source: Box<dyn Read> =
            if gzipped { Box::new(MultiGzDecoder::new(counted)) } else { Box::new(counted) };
        let mut reader = csv::ReaderBuilder::new().buffer_capacity(1 << 16).from_reader(source);
        let names = reader.headers().map_err(|error| fault(error.to_string()))?;
        // Excel writes a mark before the first name.
        let name = |name: &str| name.trim_start_matches('\u{feff}').trim().to_owned();
        let header: Vec<String> = names.iter().map(name).collect();
        check_names(&header).map_err(fault)?;
        Ok(Self { reader, header, n_bytes_read, n_bytes: metadata.len() })
    }

    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// How much of the file was read, from 0 to 1.
    pub(crate) fn share_read(&self) -> f64 {
        let n_bytes_read = self.n_bytes_read.load(Ordering::Relaxed);
        if self.n_bytes == 0 { 1.0 } else { (n_bytes_read as f64 / self.n_bytes as f64).min(1.0) }
    }

    /// At most `n` more rows.
    pub(crate) fn read(
        &mut self,
        n: usize,
        columns: &Columns,
        cells: &mut Cells,
    ) -> Result<RowsRead, String> {
        let mut read = RowsRead::new(columns);
        let mut record = ByteRecord::new();
        while read.n_rows < n
            && self.reader.read_byte_record(&mut record).map_err(|error| error.to_string())?
        {
            let line = record.position().map_or(0, csv::Position::line);
            let text = |column: usize| {
                std::str::from_utf8(&record[column])
                    .map_err(|_| format!("line {line}, column `{}`: is no UTF-8 text", self.header[column]))
            };
            for (feature, &column) in columns.features.iter().enumerate() {
                let value = cells
                    .value(feature, text(column)?)
                    .map_err(|reason| format!("line {line}, column `{}`: {reason}", self.header[column]))?;
                read.numbers.push(value);
            }
            for (texts, &column) in read.kept.iter_mut().zip(&columns.kept) {
                texts.push(text(column)?.trim().to_owned());
            }
            read.n_rows += 1;
        }
        Ok(read)
    }
}
