//! A log of records that no model made: several models, versions and methods, tables, images and texts, late labels, a
//! sampled part, failed checks, something erased. The same numbers every time.

use std::error::Error;
use std::path::Path;

use pellucid_store::{
    Array, Check, Decision, Digest, Feedback, Log, Options, Payload, Pending, Record, RecordedModel, Values,
    create_key,
};
use serde_json::{Value, json};

/// 2026-09-01.
pub(crate) const START_MICROS: i64 = 1_788_220_800_000_000;
const MINUTE: i64 = 60_000_000;

/// Features of the tables: name, and categories where it has some.
const FEATURES: [(&str, &[&str]); 20] = [
    ("age", &[]),
    ("sex", &["F", "M"]),
    ("education", &["none", "school", "college", "university"]),
    ("hours per week", &[]),
    ("capital gain", &[]),
    ("occupation", &["clerk", "craft", "manager", "sales", "service", "technician"]),
    ("marital status", &["divorced", "married", "never married", "widowed"]),
    ("duration_months", &[]),
    ("amount", &[]),
    ("savings", &[]),
    ("number_of_open_credits_at_this_and_at_other_banks_within_24_months", &[]),
    ("residence_years", &[]),
    ("employed_years", &[]),
    ("dependents", &[]),
    ("telephone", &["no", "yes"]),
    ("housing", &["free", "own", "rent"]),
    ("installment_rate", &[]),
    ("inquiries", &[]),
    ("balance", &[]),
    ("late_payments", &[]),
];
const WEIGHTS: [f64; 20] = [
    0.6, 0.2, 0.5, 0.35, 0.8, 0.15, 0.4, -0.5, -0.45, 0.3, -0.25, 0.05, 0.2, -0.1, 0.05, 0.1, -0.2, -0.15,
    0.25, -0.7,
];

/// Where the log is, and what verifies it.
pub(crate) struct Made {
    pub(crate) log: std::path::PathBuf,
    pub(crate) key: pellucid_store::VerifyingKey,
}

/// A log of `n_tables` records of tables and a few others, in `folder`; its key lies in `keys`.
pub(crate) fn make(folder: &Path, keys: &Path, n_tables: u64) -> Result<Made, Box<dyn Error>> {
    let (key_file, path) = (keys.join("key"), folder.join("demo.log"));
    let key = create_key(&key_file, "example.com/demo")?;
    let log = Log::open(&path, &key_file, &Options::default())?;
    let mut waiting = Vec::new();
    for i in 0..n_tables {
        let (record, payload) = table(i, n_tables)?;
        submit(&log, &record, &payload, &mut waiting)?;
        // One in eight is explained by a second method.
        if i % 8 == 0 {
            let (record, payload) = by_second_method(i, &record, payload)?;
            submit(&log, &record, &payload, &mut waiting)?;
        }
    }
    for i in 0..12 {
        let (record, payload) = image(i, n_tables)?;
        submit(&log, &record, &payload, &mut waiting)?;
        let (record, payload) = text(i, n_tables)?;
        submit(&log, &record, &payload, &mut waiting)?;
    }
    waiting.drain(..).try_for_each(|pending| pending.wait().map(drop))?;
    feedback(&log, n_tables)?;
    if n_tables > 40 {
        log.erase(&[9, 10, 20], "asked for by the person", START_MICROS + 30 * 24 * 60 * MINUTE)?;
    }
    log.close()?;
    Ok(Made { log: path, key })
}

fn submit(
    log: &Log,
    record: &Record,
    payload: &Payload,
    waiting: &mut Vec<Pending>,
) -> Result<(), Box<dyn Error>> {
    waiting.push(log.submit(record, payload)?);
    if waiting.len() >= 2_000 {
        waiting.drain(..).try_for_each(|pending| pending.wait().map(drop))?;
    }
    Ok(())
}

/// Numbers in `[0, 1)`, the same for the same place (SplitMix64).
fn uniform(i: u64, j: u64) -> f64 {
    let mut z = i.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(j.wrapping_mul(0xd1b5_4a32_d192_ed03));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

fn model(name: &str, version: &str) -> RecordedModel {
    let digest = Digest::of(&[name.as_bytes(), version.as_bytes()]);
    RecordedModel { name: name.to_owned(), version: version.to_owned(), digest }
}

fn time(i: u64, n: u64) -> i64 {
    // Four weeks, however many there are.
    START_MICROS + (i as i64) * (28 * 24 * 60 * MINUTE / n.max(1) as i64)
}

/// Version 2 came in the first week, and looks more at `late_payments`, of which there are more in the last nine days.
fn table(i: u64, n: u64) -> Result<(Record, Payload), Box<dyn Error>> {
    let second = i * 5 >= n;
    let more_late = i * 10 >= n * 7;
    let inputs: Vec<f64> = (0..20).map(|feature| input(i, feature, more_late)).collect();
    let weight = |feature: usize| if second && feature == 19 { -1.4 } else { WEIGHTS[feature] };
    let attributions: Vec<f64> = (0..20).map(|f| weight(f) * standard(f, inputs[f])).collect();
    let output = -0.4 + attributions.iter().sum::<f64>();
    let model = model("credit", if second { "2" } else { "1" });
    let mut record = Record::new(&format!("application-{i:06}"), time(i, n), model, "tree_shap");
    // Uncertain predictions are always explained, of the others one in four.
    let uncertain = output.abs() < 1.0;
    record.inclusion_probability = if uncertain { 1.0 } else { 0.25 };
    record.prediction = vec![output];
    parameters(&mut record, "margin", &json!({ "removal": "path_dependent" }));
    let holds = !i.is_multiple_of(97);
    let gap = if holds { 1e-9 * uniform(i, 90) } else { 0.02 };
    record.checks.insert("completeness".to_owned(), Check { passed: holds, value: Some(gap) });
    record.checks.insert("finite".to_owned(), Check { passed: true, value: None });
    let details = json!({
        "target": { "index": 0, "name": "repaid" },
        "output_space": "margin", "output": output, "base_value": -0.4, "convergence_delta": gap * output,
        "feature_names": FEATURES.map(|(name, _)| name),
        "feature_categories": FEATURES.map(|(_, names)| names),
        "channel_axis": Value::Null, "signed": true,
        "predictions": [{ "index": 0, "name": "repaid", "value": output }],
        "warnings": [],
    });
    let payload = Payload {
        input_digest: Digest::of(&[&i.to_le_bytes()]),
        input: vec![Array::new("input", &[20], Values::F64(inputs))?],
        attribution: vec![Array::new("values", &[20], Values::F64(attributions))?],
        details,
    };
    Ok((record, payload))
}

fn input(i: u64, feature: usize, more_late: bool) -> f64 {
    let u = uniform(i, feature as u64);
    match (FEATURES[feature], feature) {
        ((_, names), _) if !names.is_empty() => (u * names.len() as f64).floor(),
        (_, 0) => (18.0 + 60.0 * u).floor(),
        (_, 3) => (10.0 + 50.0 * u).floor(),
        (_, 9) if u < 0.1 => f64::NAN,
        (_, 19) if more_late => (u * 6.0).floor(),
        (_, 19) => (u * u * 6.0).floor(),
        _ => (u * 10_000.0).round() / 100.0,
    }
}

/// About −1 to 1.
fn standard(feature: usize, x: f64) -> f64 {
    let (low, high) = match (FEATURES[feature], feature) {
        ((_, names), _) if !names.is_empty() => (0.0, names.len() as f64 - 1.0),
        (_, 0) => (18.0, 78.0),
        (_, 3) => (10.0, 60.0),
        (_, 19) => (0.0, 6.0),
        _ => (0.0, 100.0),
    };
    if x.is_nan() { 0.0 } else { 2.0 * (x - low) / (high - low) - 1.0 }
}

fn by_second_method(
    i: u64,
    first: &Record,
    mut payload: Payload,
) -> Result<(Record, Payload), Box<dyn Error>> {
    let mut record =
        Record::new(&first.prediction_id, first.timestamp_micros + 1_000, first.model.clone(), "kernel_shap");
    record.prediction.clone_from(&first.prediction);
    record.inclusion_probability = first.inclusion_probability;
    record.seed = Some(7);
    parameters(&mut record, "margin", &json!({ "n_samples": 2048, "background_rows": 100 }));
    record.checks.insert("standard_error".to_owned(), Check { passed: true, value: Some(0.012) });
    let Values::F64(exact) = payload.attribution[0].values() else {
        return Err("attributions are f64".into());
    };
    let noisy: Vec<f64> =
        exact.iter().enumerate().map(|(f, x)| x + 0.04 * (uniform(i, 200 + f as u64) - 0.5)).collect();
    let errors = vec![0.012; 20];
    payload.attribution = vec![
        Array::new("values", &[20], Values::F64(noisy))?,
        Array::new("standard_error", &[20], Values::F64(errors))?,
    ];
    payload.details["warnings"] =
        json!(["The background has 100 rows; more would lower the standard error."]);
    Ok((record, payload))
}

fn parameters(record: &mut Record, space: &str, more: &Value) {
    let mut all = more.as_object().cloned().unwrap_or_default();
    all.insert("output_space".to_owned(), space.into());
    all.insert("target".to_owned(), "predicted".into());
    let told = json!([record.method, record.model.name, record.model.version, all]).to_string();
    record.comparability_key = Digest::of(&[told.as_bytes()]).to_string()[..32].to_owned();
    record.parameters = all;
    record.runtime_fingerprint = "synthetic 1".to_owned();
}

/// A disk on a ramp; the model looks at the disk's edge.
fn image(i: u64, n: u64) -> Result<(Record, Payload), Box<dyn Error>> {
    const SIDE: usize = 96;
    let (cx, cy, r) = (30.0 + 30.0 * uniform(i, 1), 30.0 + 30.0 * uniform(i, 2), 14.0 + 8.0 * uniform(i, 3));
    let (mut pixels, mut values) = (Vec::new(), Vec::new());
    for channel in 0..3 {
        for y in 0..SIDE {
            for x in 0..SIDE {
                let away = ((x as f64 - cx).powi(2) + (y as f64 - cy).powi(2)).sqrt() - r;
                let ground = 0.2 + 0.4 * (x + y) as f64 / (2 * SIDE) as f64;
                let disk = [0.9, 0.55, 0.2][channel];
                pixels.push((if away < 0.0 { disk } else { ground }) as f32);
                let edge = (-away * away / 18.0).exp();
                let corner = (-((x as f64 - 80.0).powi(2) + (y as f64 - 80.0).powi(2)) / 80.0).exp();
                values.push((0.01 * edge - 0.006 * corner) as f32);
            }
        }
    }
    let confidence = 0.55 + 0.4 * uniform(i, 4);
    let mut record = Record::new(
        &format!("photo-{i:02}"),
        time(n * (i + 1) / 14, n),
        model("shapes", "1"),
        "integrated_gradients",
    );
    record.prediction = vec![confidence, 1.0 - confidence];
    parameters(&mut record, "probability", &json!({ "n_steps": 64, "baseline": "zeros" }));
    record.checks.insert("completeness".to_owned(), Check { passed: true, value: Some(0.001) });
    let payload = Payload {
        input_digest: Digest::of(&[b"photo", &i.to_le_bytes()]),
        input: vec![Array::new("input", &[3, 96, 96], Values::F32(pixels))?],
        attribution: vec![Array::new("values", &[3, 96, 96], Values::F32(values))?],
        details: json!({
            "target": { "index": 0, "name": "disk" }, "output_space": "probability", "output": confidence, "base_value": 0.1,
            "convergence_delta": 0.001, "feature_names": Value::Null, "feature_categories": Value::Null, "channel_axis": 0,
            "signed": true, "warnings": [],
            "predictions": [
                { "index": 0, "name": "disk", "value": confidence }, { "index": 1, "name": "square", "value": 1.0 - confidence }
            ],
        }),
    };
    Ok((record, payload))
}

fn text(i: u64, n: u64) -> Result<(Record, Payload), Box<dyn Error>> {
    let said = [
        "The staff was wonderful, but the room was cold and the breakfast <b>late</b>.",
        "A quiet place with a lovely view; I would come again.",
        "Never again: rude people, dirty floor, no hot water.",
    ][i as usize % 3];
    let words: Vec<String> = said.split(' ').map(str::to_owned).collect();
    let good = ["wonderful,", "lovely", "quiet", "again."];
    let bad = ["cold", "late</b>.", "<b>late</b>.", "rude", "dirty", "Never", "no"];
    let value = |word: &String| match word.as_str() {
        it if good.contains(&it) => 0.4,
        it if bad.contains(&it) => -0.35,
        _ => 0.02 * (uniform(i, word.len() as u64) - 0.5),
    };
    let values: Vec<f64> = words.iter().map(value).collect();
    let margin = values.iter().sum::<f64>() * 2.0;
    let positive = 1.0 / (1.0 + (-margin).exp());
    let mut record = Record::new(
        &format!("review-{i:02}"),
        time(n * (i + 1) / 14, n) + 5,
        model("reviews", "3"),
        "layer_integrated_gradients",
    );
    record.prediction = vec![1.0 - positive, positive];
    parameters(&mut record, "probability", &json!({ "n_steps": 32 }));
    record.decision = (i == 0).then(|| Decision {
        outcome: "answered by hand".to_owned(),
        by: "clerk-4".to_owned(),
        timestamp_micros: time(n, n),
        reason: Some("unclear".to_owned()),
    });
    let n_words = words.len() as u64;
    let payload = Payload {
        input_digest: Digest::of(&[said.as_bytes()]),
        input: vec![Array::new("text", &[1], Values::Text(vec![said.to_owned()]))?],
        attribution: vec![
            Array::new("values", &[n_words], Values::F64(values))?,
            Array::new("words", &[n_words], Values::Text(words))?,
        ],
        details: json!({
            "target": { "index": 1, "name": "positive" }, "output_space": "probability", "output": positive, "base_value": 0.5,
            "convergence_delta": Value::Null, "feature_names": Value::Null, "feature_categories": Value::Null,
            "channel_axis": Value::Null, "signed": true, "warnings": [],
            "predictions": [
                { "index": 1, "name": "positive", "value": positive }, { "index": 0, "name": "negative", "value": 1.0 - positive }
            ],
        }),
    };
    Ok((record, payload))
}

/// Labels come two days later, for one in five; the model is wrong more often where it is unsure.
fn feedback(log: &Log, n: u64) -> Result<(), Box<dyn Error>> {
    let mut labels = Vec::new();
    for i in (0..n).step_by(5) {
        let (record, _) = table(i, n)?;
        let margin = record.prediction[0];
        let says = margin > 0.0;
        let wrong = uniform(i, 300) < 1.0 / (1.0 + (margin.abs() * 1.4).exp());
        labels.push((record.prediction_id, record.timestamp_micros, json!(u8::from(says != wrong))));
    }
    for i in 0..4 {
        labels.push((format!("photo-{i:02}"), time(n, n), json!(if i == 2 { "square" } else { "disk" })));
        labels.push((
            format!("review-{i:02}"),
            time(n, n),
            json!(if i == 1 { "negative" } else { "positive" }),
        ));
    }
    // Feedback waits for the disk one by one; in threads they share a write.
    std::thread::scope(|scope| {
        let threads: Vec<_> = labels
            .chunks(labels.len().div_ceil(64))
            .map(|chunk| {
                scope.spawn(move || {
                    chunk.iter().try_for_each(|(id, micros, label)| {
                        let feedback = Feedback {
                            prediction_id: id.clone(),
                            timestamp_micros: micros + 2 * 24 * 60 * MINUTE,
                            label: Some(label.clone()),
                            decision: None,
                        };
                        log.append_feedback(&feedback).map(drop)
                    })
                })
            })
            .collect();
        threads.into_iter().try_for_each(|it| it.join().unwrap_or(Ok(())))
    })?;
    Ok(())
}
