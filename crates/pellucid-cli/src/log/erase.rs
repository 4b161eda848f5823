//! `pellucid log erase` and `pellucid log retain`.

use pellucid_store::{Erased, Log, Record, Retention};

use super::keys;
use super::place::find_all;
use super::time::Time;
use crate::arguments::{EraseArguments, RetainArguments};
use crate::console::Console;
use crate::failure::Failure;

pub(crate) fn run(arguments: &EraseArguments, console: &Console) -> Result<(), Failure> {
    let log = keys::open(&arguments.log, &arguments.key)?;
    let mut records = Vec::new();
    // A reader that is still there would keep what is erased in the write-ahead log.
    let reader = log.reader()?;
    for asked in &arguments.entries {
        records.extend(find_all(&reader, asked)?);
    }
    drop(reader);
    let erased = log.erase(&records, &arguments.reason, Time::now().micros())?;
    told(log, &erased, console)
}

pub(crate) fn retain(arguments: &RetainArguments, console: &Console) -> Result<(), Failure> {
    let log = keys::open(&arguments.log, &arguments.key)?;
    let now = Time::now();
    let methods: Vec<String> =
        arguments.methods.iter().flatten().map(|method| method.replace('-', "_")).collect();
    let by_methods = |record: &Record| methods.contains(&record.method);
    let since = arguments.since.or(arguments.days.map(|days| now.days_ago(days)));
    let retention = match (since, arguments.one_in) {
        (Some(time), _) => Retention::Since(time.micros()),
        (None, Some(n)) => Retention::OneIn(n),
        (None, None) => Retention::Rule(&by_methods),
    };
    let erased = log.retain(retention, &arguments.reason, now.micros())?;
    told(log, &erased, console)
}

fn told(log: Log, erased: &Erased, console: &Console) -> Result<(), Failure> {
    log.close()?;
    let entries: Vec<String> = erased.entries.iter().map(u64::to_string).collect();
    let n = erased.n_payloads;
    let s = if n == 1 { "" } else { "s" };
    let by = match entries.is_empty() {
        true => String::new(),
        false => format!(", as entry {} says", entries.join(", ")),
    };
    console.print(&format!("erased    {n} payload{s}{by}"))?;
    match erased.overwritten {
        true => Ok(()),
        false => console.print(
            "pending   a reader, or a full disk, keeps copies in the log's files: `pellucid log erase` again later",
        ),
    }
}
