//! How fast a log takes records, and how fast it is verified: `log_speed [RECORDS] [THREADS]`.

#![allow(clippy::print_stdout, reason = "it prints what it measured")]

use std::error::Error;
use std::time::Instant;

use pellucid_store::{
    Array, Digest, Log, Options, Payload, Query, Reader, Record, RecordedModel, Trusted, Values, create_key,
    verify,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let n: u64 = arguments.next().map_or(Ok(20_000), |it| it.parse())?;
    let n_threads: u64 = arguments.next().map_or(Ok(16), |it| it.parse())?;
    let (keys, logs) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let (key_file, path) = (keys.path().join("key"), logs.path().join("log"));
    let key = create_key(&key_file, "example.com/speed")?;
    let log = Log::open(&path, &key_file, &Options::default())?;

    let started = Instant::now();
    std::thread::scope(|scope| -> Result<(), pellucid_store::Error> {
        let append = |thread| {
            (thread..n).step_by(n_threads as usize).try_for_each(|i| {
                let (record, payload) = numbered(i)?;
                log.append(&record, &payload).map(drop)
            })
        };
        let threads: Vec<_> = (0..n_threads).map(|thread| scope.spawn(move || append(thread))).collect();
        threads.into_iter().try_for_each(|it| it.join().unwrap_or(Ok(())))
    })?;
    report("appended, each acknowledged when on the disk", n, started);
    log.close()?;

    let started = Instant::now();
    let verified = verify(&path, &Trusted { key: Some(&key), checkpoint: None })?;
    report("verified", verified.n_entries, started);

    let reader = Reader::open(&path)?;
    let started = Instant::now();
    for i in 0..100 {
        let one = Query { prediction_id: Some(format!("request-{}", i * n / 100)), ..Query::default() };
        reader.query(&one)?;
    }
    report("found by prediction id", 100, started);
    let started = Instant::now();
    for i in 0..100 {
        reader.prove_inclusion(i * n / 100)?;
    }
    report("proven", 100, started);
    println!("{} bytes a record", std::fs::metadata(&path)?.len() / n);
    Ok(())
}

/// A table's row of 20 features, explained.
fn numbered(i: u64) -> Result<(Record, Payload), pellucid_store::Error> {
    let model = RecordedModel { name: "credit".into(), version: "7".into(), digest: Digest::of(&[b"model"]) };
    let row: Vec<f64> = (0..20).map(|feature| ((i * 31 + feature * 7) % 1_000) as f64 / 8.0).collect();
    let attribution = row.iter().map(|x| (x * 0.37).sin()).collect();
    let payload = Payload {
        input_digest: Digest::of(&[&i.to_le_bytes()]),
        input: vec![Array::new("row", &[20], Values::F64(row))?],
        attribution: vec![Array::new("row", &[20], Values::F64(attribution))?],
        details: serde_json::json!({ "base_value": 0.1 }),
    };
    Ok((Record::new(&format!("request-{i}"), 1_790_000_000_000_000 + i as i64, model, "tree_shap"), payload))
}

fn report(what: &str, n: u64, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    println!("{n} {what}: {seconds:.2} s, {:.0} a second", n as f64 / seconds);
}
