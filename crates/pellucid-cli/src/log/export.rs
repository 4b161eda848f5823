//! `pellucid log export`.

use pellucid_store::Reader;

use crate::arguments::ExportArguments;
use crate::console::Console;
use crate::failure::Failure;

pub(crate) fn run(arguments: &ExportArguments, console: &Console) -> Result<(), Failure> {
    let exported = Reader::open(&arguments.log)?.export(&arguments.folder)?;
    let (n, n_new) = (exported.n_entries, exported.n_new_files);
    let folder = arguments.folder.display();
    console.print(&format!("exported  {n} entries to {folder} ({n_new} files written)"))
}
