//! `Graph` → ONNX file on disk, whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::write::Layout;
use crate::error::Error;
use crate::graph::Graph;

/// Larger graphs are written with their weights in a file beside: protocol buffers end at 2 GiB, and some readers
/// earlier.
const MAX_SINGLE_FILE_BYTES: usize = 1 << 30;

/// Writes a graph as an ONNX file. Above 1 GiB the weights go into a file beside it, named like it with `.data` behind.
/// Files are written under another name and renamed at the end.
///
/// # Errors
/// [`Error::Write`] where the system refuses or the disk is full; what was begun is removed. Else as
/// [`write_bytes`](super::write_bytes).
pub fn write(graph: &Graph, path: &Path) -> Result<(), Error> {
    write_split(graph, path, MAX_SINGLE_FILE_BYTES)
}

/// The same with another limit.
pub(super) fn write_split(graph: &Graph, path: &Path, max_bytes: usize) -> Result<(), Error> {
    let mut layout = Layout::new(graph)?;
    let fault = |path: &Path| {
        let path = path.display().to_string();
        move |error: io::Error| Error::Write { path, reason: error.to_string() }
    };
    let mut data_file = None;
    if layout.n_bytes() > max_bytes {
        let mut data_path = path.as_os_str().to_owned();
        data_path.push(".data");
        let data_path = PathBuf::from(data_path);
        let location = data_path.file_name().map(|name| name.to_string_lossy().into_owned());
        let location = location.ok_or_else(|| fault(path)(io::Error::other("it has no file name")))?;
        layout.move_beside(&location);
        let written = Unfinished::write(&data_path, |sink| layout.emit_beside(sink));
        data_file = Some((written.map_err(fault(&data_path))?, data_path));
    }
    layout.check_size()?;
    let model_file = Unfinished::write(path, |sink| layout.emit(sink)).map_err(fault(path))?;
    if let Some((file, data_path)) = data_file {
        file.finish().map_err(fault(&data_path))?;
    }
    model_file.finish().map_err(fault(path))
}

/// Tells apart the temporary files of one process.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// A file under a temporary name, removed unless it is finished.
struct Unfinished {
    temporary: PathBuf,
    path: PathBuf,
}

impl Unfinished {
    fn write(path: &Path, emit: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<Self> {
        let name = path.file_name().ok_or_else(|| io::Error::other("it has no file name"))?;
        let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let temporary = path.with_file_name(format!(".{}.{process}.{count}.tmp", name.to_string_lossy()));
        let file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        let unfinished = Self { temporary, path: path.to_owned() };
        let mut sink = BufWriter::new(file);
        emit(&mut sink)?;
        sink.flush()?;
        // A full disk may show only here.
        sink.get_ref().sync_all()?;
        Ok(unfinished)
    }

    fn finish(self) -> io::Result<()> {
        fs::rename(&self.temporary, &self.path)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Once renamed, nothing is there any more.
        let _ = fs::remove_file(&self.temporary);
    }
}
