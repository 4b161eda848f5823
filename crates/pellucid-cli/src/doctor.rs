//! `pellucid doctor`.

use pellucid_engine::doctor;

use crate::arguments::DoctorArguments;
use crate::console::Console;
use crate::failure::Failure;
use crate::open::runtime_options;

pub(crate) fn run(arguments: &DoctorArguments, console: &Console) -> Result<(), Failure> {
    let found = doctor(&runtime_options(&arguments.runtime)?);
    match arguments.json {
        false => console.print(&found.to_string()),
        true => {
            let json = serde_json::to_string(&found).map_err(|error| Failure::Setup(error.to_string()))?;
            console.print(&json)
        }
    }
}
