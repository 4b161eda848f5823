//! `pellucid log`: records are appended, found, proven, erased; what is wrong is named.

use std::process::Output;

use pellucid_engine::Explanation;
use serde_json::Value;

use crate::tables::recorded;
use crate::{Folder, fixture, pellucid, stdout};

/// A folder for logs beside one for the user's keys, and rows to explain.
pub(crate) struct Place {
    folder: Folder,
    pub(crate) log: String,
    table: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = Folder::new();
        for name in ["logs", "data"] {
            std::fs::create_dir(folder.path(name)).expect("a folder");
        }
        let table =
            folder.write("rows.csv", "id,a,b,c,d,e\nr-1,0.5,1,0,2,46\nr-2,-1,0,0.5,1,31\nr-3,2,,0.25,0,64\n");
        Self { log: folder.text("logs/test.log"), table, folder }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        pellucid(arguments).env("XDG_DATA_HOME", self.folder.path("data")).output().expect("the binary runs")
    }

    /// `pellucid log COMMAND LOG …`
    pub(crate) fn log(&self, command: &str, arguments: &[&str]) -> Output {
        self.run(&[&["log", command, &self.log], arguments].concat())
    }

    /// A log of three rows of a tree model, explained by name.
    pub(crate) fn filled() -> Self {
        let place = Self::new();
        stdout(&place.explain(&["--prediction-ids", "id"]));
        place
    }

    fn explain(&self, more: &[&str]) -> Output {
        let model = fixture("trees/lightgbm/binary.txt");
        // The model does not name its columns: every other one has to be named.
        let beside: &[&str] = if more.contains(&"--prediction-ids") { &[] } else { &["--keep", "id"] };
        self.run(&[&["explain", &model, &self.table, "--log", &self.log][..], beside, more].concat())
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        self.folder.write(name, text)
    }

    pub(crate) fn lines(&self, more: &[&str]) -> Vec<Value> {
        let text = stdout(&self.log("query", &[&["--json"], more].concat()));
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    pub(crate) fn fails(&self, output: &Output, code: i32, part: &str) {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.starts_with("error: ") && text.contains(part), "{text:?} without {part:?}");
        // Of a command that cannot be, usage follows.
        assert!(text.lines().count() == 1 || code == 2, "{text}");
    }
}

#[test]
fn explained_rows_are_records_of_their_predictions() {
    let place = Place::new();
    let first = place.explain(&[
        "--prediction-ids",
        "id",
        "--model-name",
        "credit",
        "--model-version",
        "7",
        "--json",
    ]);
    let told = String::from_utf8_lossy(&first.stderr).into_owned();
    let explanation: Value = serde_json::from_str(&stdout(&first)).expect("JSON alone");
    let keys = place.folder.names("data/pellucid/keys");
    assert!(told.contains(&keys[0]) && told.contains("verifier  test+"), "{told}");
    assert!(told.contains("3 records, entries 0 to 2 of "), "{told}");
    let records = place.lines(&["--payloads"]);
    let ids: Vec<&str> = records.iter().filter_map(|it| it["entry"]["prediction_id"].as_str()).collect();
    assert_eq!(ids, ["r-1", "r-2", "r-3"]);
    for (row, record) in records.iter().enumerate() {
        let (entry, payload) = (&record["entry"], &record["payload"]);
        assert_eq!((&entry["model"]["name"], &entry["model"]["version"]), (&"credit".into(), &"7".into()));
        assert_eq!(entry["model"]["digest"], explanation["model"]["digest"]);
        assert_eq!(entry["method"], "tree_shap");
        assert_eq!(entry["prediction"], Value::Array(vec![explanation["outputs"][row].clone()]));
        assert_eq!(entry["checks"]["completeness"]["passed"], true);
        assert_eq!(payload["attribution"][0]["values"], explanation["values"][row]);
        assert_eq!(payload["input"][0]["values"], explanation["data"][row]);
        assert_eq!(payload["details"]["feature_names"], explanation["feature_names"]);
        assert!(!entry.to_string().contains("rows.csv"));
    }
    // The key is told once; the next rows follow.
    let next = place.explain(&[]);
    let told = String::from_utf8_lossy(&next.stderr).into_owned();
    assert!(!told.contains("verifier") && told.contains("entries 3 to 5 of "), "{told}");
    let shown = stdout(&place.log("show", &["r-3"]));
    for part in
        ["entry     2: record of prediction r-3", "model     credit 7", "tree_shap", "completeness", "holds"]
    {
        assert!(shown.contains(part), "{shown}");
    }
}

#[test]
fn conditions_choose_records() {
    let place = Place::filled();
    stdout(&place.explain(&["--method", "saabas", "--prediction-ids", "id"]));
    let indices = |more: &[&str]| -> Vec<u64> {
        place.lines(more).iter().filter_map(|it| it["index"].as_u64()).collect()
    };
    assert_eq!(indices(&[]), [0, 1, 2, 3, 4, 5]);
    assert_eq!(indices(&["--method", "saabas"]), [3, 4, 5]);
    assert_eq!(indices(&["--prediction-id", "r-2"]), [1, 4]);
    assert_eq!(indices(&["--from", "2", "--limit", "2"]), [2, 3]);
    assert_eq!(indices(&["--until", "2020-01-01"]), [0; 0]);
    assert_eq!(indices(&["--since", "2020-01-01", "--model-name", "binary"]).len(), 6);
    let key =
        place.lines(&["--from", "3"])[0]["entry"]["comparability_key"].as_str().expect("a key").to_owned();
    assert_eq!(indices(&["--comparability-key", &key]), [3, 4, 5]);
    let table = stdout(&place.log("query", &["--limit", "2"]));
    assert!(table.starts_with("entry  time") && table.ends_with("--from 2\n"), "{table}");
    place.fails(&place.log("query", &["--since", "soon"]), 2, "`soon`");
    place.fails(&place.log("query", &["--since", "2026"]), 2, "may be a year");
}

/// What `show` prints is what `append` reads.
#[test]
fn records_and_explanations_are_appended_from_files() {
    let place = Place::filled();
    let text = stdout(&place.log("query", &["--json", "--payloads"]));
    let lines = place.folder.write("records.jsonl", text);
    let out = place.folder.text("out");
    stdout(&place.explain(&["--out", &out]));
    let explanation = place.folder.text("out/explanation.json");
    stdout(&place.log("append", &[&lines, &explanation, "--model-version", "8"]));
    let records = place.lines(&["--payloads"]);
    assert_eq!(records.len(), 12);
    for (old, new) in records[..3].iter().zip(&records[6..9]) {
        assert_eq!(old["payload"], new["payload"]);
        assert_eq!(old["entry"]["parameters"], new["entry"]["parameters"]);
        assert_ne!(
            old["entry"]["payload_commitment"], new["entry"]["payload_commitment"],
            "salts are drawn anew"
        );
    }
    assert_eq!(records[9]["entry"]["model"]["version"], "8");
    assert_eq!(records[9]["payload"]["attribution"], records[0]["payload"]["attribution"]);
    let texts = place.write("texts.json", "{\"schema\": \"pellucid.text_explanations\"}");
    place.fails(&place.log("append", &[&texts]), 3, "log them as they are explained");
    let broken = place.folder.write("broken.jsonl", "{\"entry\": {\"kind\": \"feedback\"}}\n");
    place.fails(&place.log("append", &[&broken]), 3, "broken.jsonl, line 1: `entry` is no record");
    for line in ["[]", "1", "\"x\"", "null"] {
        let no_object = place.folder.write("list.jsonl", line);
        place.fails(&place.log("append", &[&no_object]), 3, "list.jsonl, line 1: `entry` is no record");
    }
}

/// Names are made of time and number, and one command has one time.
#[test]
fn rows_of_several_files_have_names_of_their_own() {
    let place = Place::new();
    let model = fixture("trees/lightgbm/binary.txt");
    let out = place.folder.text("out");
    stdout(&place.run(&["explain", &model, &place.table, "--keep", "id", "--out", &out]));
    let explanation = format!("{out}/explanation.json");
    stdout(&place.log("append", &[&explanation, &explanation]));
    let records = place.lines(&[]);
    let names: std::collections::BTreeSet<String> =
        records.iter().map(|line| line["entry"]["prediction_id"].to_string()).collect();
    assert_eq!((records.len(), names.len()), (6, 6));
}

#[test]
fn a_proof_is_not_written_over_by_its_entry() {
    let place = Place::filled();
    let out = place.folder.text("proof.json");
    place.fails(&place.log("prove", &["0", "--out", &out]), 2, "another ending");
    assert!(!std::path::Path::new(&out).exists());
}

#[test]
fn a_log_is_verified_against_its_key_and_an_older_checkpoint() {
    let place = Place::filled();
    let sound = stdout(&place.log("verify", &[]));
    for part in [
        "entries   3, root ",
        "signed    the first 3, signed by test+",
        "payloads  3 there",
        "nothing is wrong",
    ] {
        assert!(sound.contains(part), "{sound}");
    }
    let folder = place.folder.text("export");
    assert!(stdout(&place.log("export", &[&folder])).contains("3 entries"));
    let checkpoint = place.folder.text("export/checkpoint");
    stdout(&place.explain(&[]));
    stdout(&place.log("verify", &["--checkpoint", &checkpoint]));
    // One byte of an entry.
    let bytes = std::fs::read(&place.log).expect("a log");
    let at = bytes
        .windows(15)
        .position(|window| window == b"\"tree_shap\",\"mo")
        .or_else(|| bytes.windows(11).position(|window| window == b"\"tree_shap\""));
    let mut changed = bytes.clone();
    changed[at.expect("a method") + 1] = b'T';
    std::fs::write(&place.log, changed).expect("written");
    let output = place.log("verify", &[]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(5), "{text}");
    assert!(text.contains("does not hold: ") && text.contains("entry "), "{text}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("WRONG"));
}

#[test]
fn a_proof_holds_without_the_log_for_its_entry_alone() {
    let place = Place::filled();
    let (proof, key) = (place.folder.text("proof"), place.verifier());
    stdout(&place.log("prove", &["r-2", "--out", &proof]));
    let entry = place.folder.text("proof.json");
    let verify =
        |entry: &str| place.run(&["log", "verify", "--proof", &proof, "--entry", entry, "--key", &key]);
    assert!(stdout(&verify(&entry)).contains("entry 1 is among the first 3 of test"));
    let text = std::fs::read_to_string(&entry).expect("written").replace("r-2", "r-9");
    let other = place.folder.write("other.json", text);
    place.fails(&verify(&other), 5, "does not lead from this entry");
    // A proof says nothing of what else was signed.
    let with = ["log", "verify", &place.log, "--proof", &proof, "--key", &key, "--checkpoint", &proof];
    place.fails(&place.run(&with), 2, "--checkpoint");
    place.fails(&place.log("prove", &["99"]), 2, "99");
}

impl Place {
    /// The public half of the only key.
    fn verifier(&self) -> String {
        let text = stdout(&self.log("verify", &[]));
        let key = text.split("signed by ").nth(1).and_then(|rest| rest.lines().next());
        key.expect("a key").to_owned()
    }
}

#[test]
fn payloads_are_erased_and_proofs_stay() {
    let place = Place::filled();
    let erased = stdout(&place.log("erase", &["r-1", "2", "--reason", "asked to"]));
    assert!(erased.contains("2 payloads, as entry 3 says"), "{erased}");
    assert!(stdout(&place.log("show", &["0"])).contains("erased, entry 3 says why"));
    assert!(stdout(&place.log("show", &["3"])).contains("of entries 0, 2\nreason    asked to"));
    assert!(stdout(&place.log("verify", &[])).contains("1 there and as they were, 2 erased"));
    let kept = stdout(&place.log("retain", &["--days", "30", "--reason", "a month"]));
    assert!(kept.contains("0 payloads"), "{kept}");
    let gone = stdout(&place.log("retain", &["--methods", "lime", "--reason", "only lime"]));
    assert!(gone.contains("1 payload, as entry 4 says"), "{gone}");
    place.fails(&place.log("erase", &["r-7", "--reason", "x"]), 2, "no record of prediction `r-7`");
    place.fails(&place.log("retain", &["--reason", "x"]), 2, "");
}

#[test]
fn labels_and_decisions_come_later() {
    let place = Place::filled();
    stdout(&place.log("feedback", &["r-1", "--label", "1"]));
    stdout(
        &place.log("feedback", &["r-1", "--decision", "refused", "--by", "clerk-4", "--why", "no income"]),
    );
    let shown = stdout(&place.log("show", &["r-1"]));
    assert!(shown.contains("label     1, known since ") && shown.contains("refused by clerk-4"), "{shown}");
    let unknown = stdout(&place.log("feedback", &["r-9", "--label", "good"]));
    assert!(unknown.contains("no record of prediction r-9 yet"), "{unknown}");
    let all = place.lines(&["--all", "--from", "3"]);
    assert_eq!((&all[0]["entry"]["label"], &all[2]["entry"]["label"]), (&1.into(), &"good".into()));
}

#[test]
fn what_cannot_be_written_is_said_before_anything_is_explained() {
    let place = Place::filled();
    let key = place.folder.text("logs/inside.key");
    let other = place.folder.text("logs/other.log");
    let model = fixture("trees/lightgbm/binary.txt");
    let explain = |log: &str, key: &str| {
        place.run(&[
            "explain",
            &model,
            &place.table,
            "--prediction-ids",
            "id",
            "--log",
            log,
            "--log-key",
            key,
        ])
    };
    place.fails(&explain(&other, &key), 3, "lies in the log's folder");
    assert!(!place.folder.path("logs/inside.key").exists() && !place.folder.path("logs/other.log").exists());
    // A log that is there is not signed by a key that is made for it.
    place.fails(&explain(&place.log, &place.folder.text("data/none.key")), 3, "there is none");
    place.fails(&place.run(&["log", "erase", &other, "0", "--reason", "x"]), 3, "no such log");
    place.fails(&place.run(&["log", "show", &other, "0"]), 3, "no such file");
    let text = place.folder.write("logs/text.log", "not a database, but long enough to look at".repeat(20));
    place.fails(&place.run(&["log", "verify", &text]), 3, "text.log");
    let gone = place.folder.path("logs/gone.log");
    std::fs::rename(&place.log, &gone).expect("moved");
    place.fails(&place.explain(&[]), 3, "has signed one: put that log back");
    std::fs::rename(&gone, &place.log).expect("moved back");
    let ids = ["--prediction-ids", "a"];
    assert!(!place.explain(&ids).status.success(), "a feature is no name");
    assert_eq!(place.lines(&[]).len(), 3, "nothing was appended");
}

#[test]
fn a_second_writer_is_told() {
    let place = Place::filled();
    let lock = std::fs::File::open(format!("{}.lock", place.log)).expect("a lock");
    lock.lock().expect("free");
    place.fails(&place.explain(&["--prediction-ids", "id"]), 1, "another writer has it open");
    drop(lock);
    stdout(&place.explain(&["--prediction-ids", "id"]));
}

/// What was written as Parquet is read as a table again: explained by the same model, it gives the values that it holds.
#[test]
fn records_are_a_table_of_their_features() {
    let place = Place::new();
    let (rows, _) = recorded("german_credit");
    let mut text = (1..=20).map(|i| format!("attribute_{i}")).collect::<Vec<_>>().join(",") + "\n";
    for row in &rows[..5] {
        let cells = row.iter().map(|cell| cell.map_or_else(String::new, |x| x.to_string()));
        text += &(cells.collect::<Vec<_>>().join(",") + "\n");
    }
    let (model, table) = (fixture("trees/lightgbm/german_credit.txt"), place.write("credit.csv", &text));
    let first = stdout(&place.run(&["explain", &model, &table, "--json", "--log", &place.log]));
    let parquet = place.folder.text("records.parquet");
    assert!(stdout(&place.log("query", &["--parquet", &parquet])).contains("(5 records)"));
    let values = |text: &str| Explanation::from_json(text).expect("an explanation").values;
    assert_eq!(values(&first), values(&stdout(&place.run(&["explain", &model, &parquet, "--json"]))));
    // Columns of records and of values, as a table that keeps them as text tells them.
    let keep = "entry,method,value of attribute_1,output,prediction_id";
    let kept =
        Explanation::from_json(&stdout(&place.run(&["explain", &model, &parquet, "--keep", keep, "--json"])));
    let (kept, first) =
        (kept.expect("an explanation"), Explanation::from_json(&first).expect("an explanation"));
    let column = |name: &str| kept.about.other_columns[name].clone();
    assert_eq!(column("entry"), ["0", "1", "2", "3", "4"]);
    assert!(column("method").iter().all(|method| method == "tree_shap"));
    for row in 0..5 {
        assert_eq!(column("value of attribute_1")[row].parse(), Ok(first.values[[row, 0]]));
        assert_eq!(column("output")[row].parse(), Ok(first.outputs[[row]]));
    }
    // Records of another table do not fit beside them.
    stdout(&place.explain(&[]));
    place.fails(&place.log("query", &["--parquet", &parquet]), 4, "different features (entry 5)");
    stdout(&place.log("query", &["--parquet", &parquet, "--from", "5"]));
}

#[test]
fn what_was_true_goes_into_the_log_with_the_rows() {
    let place = Place::new();
    let table =
        place.write("labeled.csv", "a,b,c,d,e,truth\n0.5,1,0,2,46,1\n-1,0,0.5,1,31,\n2,,0.25,0,64,no\n");
    let model = fixture("trees/lightgbm/binary.txt");
    let explain =
        |column: &str| place.run(&["explain", &model, &table, "--log", &place.log, "--known-labels", column]);
    let told = explain("truth");
    stdout(&told);
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.contains("3 records and 2 labels, entries 0 to 4"), "{told}");
    let all = place.lines(&["--all"]);
    let labels: Vec<&Value> = all.iter().filter_map(|entry| entry["entry"].get("label")).collect();
    assert_eq!(labels, [&Value::from(1), &Value::from("no")], "{all:?}");
    let unknown = explain("verity");
    assert_ne!(unknown.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("verity"));
}

/// Parameters are the same words; what they name is not: records are told apart by it, wherever they were explained.
#[test]
fn what_parameters_name_tells_records_apart() {
    let place = Place::new();
    let keys = |explain: &[&str], n: usize| -> Vec<String> {
        stdout(&place.run(&[&["explain"], explain, &["--log", &place.log]].concat()));
        let lines = place.lines(&[]);
        let key = |line: &Value| line["entry"]["comparability_key"].as_str().expect("a key").to_owned();
        lines[lines.len() - n..].iter().map(key).collect()
    };
    // Twice the same, and something else under the same name.
    let check = |explain: &[&str], n: usize, write: &dyn Fn(u8)| {
        write(0);
        let first = keys(explain, n);
        assert_eq!(keys(explain, n), first, "{explain:?}");
        write(1);
        assert_ne!(keys(explain, n), first, "{explain:?}");
    };
    let (trees, network) = (fixture("trees/lightgbm/binary.txt"), fixture("tables/tabular.dynamo.onnx"));
    let rows = place.write("plain.csv", "a,b,c,d,e\n0.5,1,0,2,46\n-1,0,0.5,1,31\n");
    let background = place.folder.text("background.csv");
    let write_background = |which: u8| {
        place.write("background.csv", &format!("a,b,c,d,e\n{which},1,0,2,40\n-1,0,0.5,1,30\n"));
    };
    let of_background = ["--background", &background];
    check(&[&[trees.as_str(), &rows], &of_background[..]].concat(), 2, &write_background);
    let counted = ["--removal", "path-dependent"];
    check(&[&[trees.as_str(), &rows], &counted[..], &of_background].concat(), 2, &write_background);
    let kernel = ["--method", "kernel-shap"];
    check(&[&[trees.as_str(), &rows], &kernel[..], &of_background].concat(), 2, &write_background);
    // The other rows of the table.
    let table = place.folder.text("permuted.csv");
    let permutation = ["--method", "feature-permutation", "--n-samples", "3"];
    let permuted = [&[trees.as_str(), &table], &permutation[..]].concat();
    check(&permuted, 2, &|which| {
        place.write("permuted.csv", &format!("a,b,c,d,e\n0.5,1,0,2,46\n-1,0,0.5,{which},31\n"));
    });
    // What the other input of a network holds, a baseline, and rules.
    let numbers = crate::bad_input::npy("(1, 5)", &[0.5, -1.0, 2.0, 0.25, 1.0]);
    let input = place.folder.write("numbers.npy", numbers);
    let codes = place.folder.text("codes.npy");
    let fixed = format!("codes={codes}");
    let write_codes = |which: u8| {
        place.folder.write("codes.npy", crate::bad_input::npy("(1, 3)", &[2.0, 0.0, f32::from(which)]));
    };
    let of_network = [network.as_str(), &input, "--fixed", &fixed, "--target", "1"];
    for method in [&["saliency"][..], &["feature-ablation", "--baseline", "zeros"]] {
        check(&[&of_network[..], &["--method"], method].concat(), 1, &write_codes);
    }
    write_codes(0);
    let baseline = format!("array:{}", place.folder.text("baseline.npy"));
    let write_baseline = |which: u8| {
        place.folder.write("baseline.npy", crate::bad_input::npy("(1, 5)", &[f32::from(which); 5]));
    };
    for method in ["deep-lift", "feature-ablation"] {
        let with = ["--method", method, "--baseline", &baseline];
        check(&[&of_network[..], &with].concat(), 1, &write_baseline);
    }
    let rules = place.folder.text("rules.toml");
    check(&[&of_network[..], &["--method", "lrp", "--rules", &rules]].concat(), 1, &|which| {
        let rule = ["flat", "epsilon"][usize::from(which)];
        place.write("rules.toml", &format!("[[rule]]\nfirst = true\nrule = \"{rule}\""));
    });
}

/// One in two of a table of 2,001 rows is kept.
#[test]
fn a_record_says_with_which_probability_its_row_was_chosen() {
    let place = Place::new();
    let mut text = "a,b,c,d,e\n".to_owned();
    (0..2_001).for_each(|row| text += &format!("{row},1,0,2,46\n"));
    let table = place.write("large.csv", &text);
    let model = fixture("trees/lightgbm/binary.txt");
    let out = place.folder.text("out");
    let explain = ["explain", &model, &table, "--out", &out, "--log", &place.log];
    stdout(&place.run(&[&explain[..], &["--inclusion-probability", "0.1"]].concat()));
    let sample = format!("{out}/sample.npz");
    stdout(&place.log("append", &[&sample]));
    stdout(&place.log("append", &[&sample, "--inclusion-probability", "0.1"]));
    let lines = place.lines(&["--limit", "9999"]);
    assert_eq!(lines.len(), 3 * 1_001);
    for (line, expected) in lines.iter().step_by(1_001).zip([0.05, 0.5, 0.05]) {
        assert_eq!(line["entry"]["inclusion_probability"].as_f64(), Some(expected), "{line}");
    }
    for wrong in ["0", "1.5", "-1", "nan"] {
        let probability = format!("--inclusion-probability={wrong}");
        place.fails(&place.log("append", &[&sample, &probability]), 2, "above 0 and at most 1");
    }
}

/// Nothing of a table whose last row cannot be named is in the log.
#[test]
fn names_and_labels_are_looked_at_before_the_first_record() {
    let place = Place::filled();
    let model = fixture("trees/lightgbm/binary.txt");
    let long = "x".repeat(300);
    for (last, column, part) in [
        (",1", "--prediction-ids", "prediction_id is empty"),
        (&format!("{long},1"), "--prediction-ids", "prediction_id has 300 bytes"),
        (&format!("r-2,{}", "y".repeat(70_000)), "--known-labels", "65535 are allowed"),
    ] {
        let table = place
            .write("named.csv", &format!("a,b,c,d,e,id,truth\n0.5,1,0,2,46,r-1,1\n-1,0,0.5,1,31,{last}\n"));
        let other = if column == "--known-labels" { "id" } else { "truth" };
        let name = if column == "--known-labels" { "truth" } else { "id" };
        let output =
            place.run(&["explain", &model, &table, "--log", &place.log, column, name, "--keep", other]);
        place.fails(&output, 3, "named.csv, row 1: ");
        assert!(String::from_utf8_lossy(&output.stderr).contains(part), "{output:?}");
        assert_eq!(place.lines(&["--all"]).len(), 3);
    }
}

/// Features come from the first record that has some, though a page of others stands before it.
#[test]
fn a_parquet_table_has_the_features_of_records_that_come_late() {
    let place = Place::new();
    let (rows, _) = recorded("german_credit");
    let names = (1..=20).map(|i| format!("attribute_{i}")).collect::<Vec<_>>().join(",");
    let cells = rows[0].iter().map(|cell| cell.map_or_else(String::new, |x| x.to_string()));
    let table = place.write("credit.csv", &format!("{names}\n{}\n", cells.collect::<Vec<_>>().join(",")));
    let model = fixture("trees/lightgbm/german_credit.txt");
    stdout(&place.run(&["explain", &model, &table, "--log", &place.log]));
    let first = place.lines(&["--payloads"]).remove(0);
    stdout(&place.log("erase", &["0", "--reason", "x"]));
    let mut other = first.clone();
    other["payload"]["details"]["feature_names"] = Value::Null;
    let lines = format!("{other}\n").repeat(1_000) + &first.to_string();
    stdout(&place.log("append", &[&place.write("records.jsonl", &lines)]));
    let parquet = place.folder.text("records.parquet");
    assert!(stdout(&place.log("query", &["--parquet", &parquet])).contains("(1002 records)"));
    let keep = "value of attribute_1,entry";
    let out = place.folder.text("out");
    stdout(&place.run(&["explain", &model, &parquet, "--keep", keep, "--out", &out]));
    let sample = Explanation::read(format!("{out}/sample.npz").as_ref()).expect("an explanation");
    let columns = sample.about.other_columns;
    let last = columns["entry"].iter().position(|entry| entry == "1002").expect("kept");
    let value = first["payload"]["attribution"][0]["values"][0].as_f64();
    assert_eq!(columns["value of attribute_1"][last].parse().ok(), value);
}
