//! KServe V1 and the Open Inference Protocol, to the byte.

use serde_json::{Value, json};

use crate::harness::{Running, known, row, series, start};

#[test]
fn v1_says_what_its_clients_expect() {
    let server = start();
    let check =
        |path: &str, expected: Value| assert_eq!(server.get(path).expect(200).json(), expected, "{path}");
    check("/v1/models", json!({ "models": ["table", "weather", "words"] }));
    check("/v1/models/table", json!({ "name": "table", "ready": true }));
    server.get("/v1/models/none").expect(404).says("no model none");
    server.post("/v1/models/none:predict", &json!({ "instances": [[1]] })).expect(404);
    server.post("/v1/models/table:guess", &json!({ "instances": [row()] })).expect(404);
}

#[test]
fn predictions_are_those_of_the_library() {
    let server = start();
    let known = known(20);
    let rows: Vec<&Value> = known.iter().map(|known| &known.row).collect();
    let answer = server.predict("table", "batch", &json!(rows)).expect(200);
    assert_eq!(answer.header("x-prediction-id"), Some("batch"));
    assert_eq!(answer.header("x-explanations-queued"), Some("20"));
    let predictions = answer.json()["predictions"].clone();
    for (index, known) in known.iter().enumerate() {
        let predicted = predictions[index].as_f64().unwrap();
        assert!((predicted - known.probability).abs() < 1e-12, "row {index}: {predicted}");
    }
    let records = server.until_recorded(20);
    let mut ids: Vec<&str> = records.iter().map(|record| record.prediction_id.as_str()).collect();
    ids.sort_unstable();
    assert!(ids.contains(&"batch-0") && ids.contains(&"batch-19"));
}

#[test]
fn explanations_are_those_of_the_library_and_in_the_log() {
    let server = start();
    let known = known(3);
    let rows: Vec<&Value> = known.iter().map(|known| &known.row).collect();
    let answer = server.post("/v1/models/table:explain", &json!({ "instances": rows })).expect(200).json();
    for (index, known) in known.iter().enumerate() {
        let explanation = &answer["explanations"][index];
        let values: Vec<f64> = serde_json::from_value(explanation["values"].clone()).unwrap();
        let (base, features) = known.contributions.split_last().unwrap();
        for (value, expected) in values.iter().zip(features) {
            assert!((value - expected).abs() < 1e-6, "row {index}: {value} for {expected}");
        }
        assert!((explanation["base_value"].as_f64().unwrap() - base).abs() < 1e-6);
        assert!((explanation["output"].as_f64().unwrap() - known.margin).abs() < 1e-9);
        let place = explanation["record_index"].as_u64().unwrap();
        let stored = server.get(&format!("/v1/records/{place}")).expect(200).json();
        assert_eq!(stored["payload"]["attribution"][0]["values"], explanation["values"]);
        assert_eq!(stored["entry"]["prediction"][0].as_f64().unwrap(), known.margin);
    }
}

#[test]
fn tables_come_as_lists_or_by_name_with_words_and_gaps() {
    let server = start();
    let text = std::fs::read_to_string(crate::harness::fixture("trees/lightgbm/german_credit.expected.json"));
    let expected: Value = serde_json::from_str(&text.unwrap()).unwrap();
    let mut fields = serde_json::Map::new();
    for (index, cell) in expected["rows"][0].as_array().unwrap().iter().enumerate() {
        fields.insert(format!("attribute_{}", index + 1), cell.clone());
    }
    let body = json!({ "instances": [expected["rows"][0], fields] });
    let predictions =
        server.post("/v1/models/words:predict", &body).expect(200).json()["predictions"].clone();
    let wanted = expected["prediction"][0][0].as_f64().unwrap();
    for index in [0, 1] {
        assert!((predictions[index].as_f64().unwrap() - wanted).abs() < 1e-12);
    }
    let predict = |row: Value| server.post("/v1/models/words:predict", &json!({ "instances": [row] }));
    predict(json!({ "attribute_1": null })).expect(200);
    predict(json!({ "attribute_99": 1 })).expect(400).says("no feature `attribute_99`");
    predict(json!([1, 2])).expect(400).says("has 2 values");
    predict(json!({ "attribute_2": [1] })).expect(400).says("expected a number, a text or null");
}

#[test]
fn networks_take_nested_lists() {
    let server = start();
    let predict = |body: Value| server.post("/v1/models/weather:predict", &body);
    let answer = predict(json!({ "instances": [series(0.0), { "series": series(9.0) }] })).expect(200).json();
    assert_eq!(answer["predictions"][0].as_array().unwrap().len(), 2);
    predict(json!({ "instances": [[1, 2]] })).expect(400).says("no array of numbers of shape [28, 4]");
    predict(json!({ "instances": [] })).expect(400).says("empty");
    predict(json!({ "rows": [] })).expect(400).says("instances");
    predict(json!([1])).expect(400).says("expected an object");
}

#[test]
fn v2_says_what_its_clients_expect() {
    let server = start();
    let check =
        |path: &str, expected: Value| assert_eq!(server.get(path).expect(200).json(), expected, "{path}");
    check("/v2/health/live", json!({ "live": true }));
    check("/v2/health/ready", json!({ "ready": true }));
    let described = json!({
        "name": "weather", "versions": ["1"], "platform": "onnx",
        "inputs": [{ "name": "series", "datatype": "FP32", "shape": [-1, 28, 4] }],
        "outputs": [{ "name": "logits", "datatype": "FP32", "shape": [-1, 2] }],
    });
    check("/v2/models/weather", described.clone());
    check("/v2/models/weather/versions/1", described);
    check("/v2/models/table/ready", json!({ "name": "table", "ready": true }));
    check("/v2/models/table/versions/1/ready", json!({ "name": "table", "ready": true }));
    server.get("/v2/models/table/versions/7").expect(404).says("no version 7");
    assert_eq!(server.get("/v2").expect(200).json()["name"], "pellucid");
    let index = server.post("/v2/repository/index", &json!({})).expect(200).json();
    assert_eq!(index[0], json!({ "name": "table", "version": "1", "state": "READY", "reason": "" }));
}

#[test]
fn v2_infers_from_json() {
    let server = start();
    let known = known(2);
    let data: Vec<&Value> = known.iter().flat_map(|known| known.row.as_array().unwrap()).collect();
    let body = json!({
        "id": "42",
        "inputs": [{ "name": "anything", "shape": [2, 5], "datatype": "FP64", "data": data }],
    });
    let answer = server.post("/v2/models/table/infer", &body).expect(200).json();
    let (first, second) = (known[0].probability, known[1].probability);
    let near = |value: &Value, expected: f64| assert!((value.as_f64().unwrap() - expected).abs() < 1e-12);
    near(&answer["outputs"][0]["data"][0], first);
    near(&answer["outputs"][0]["data"][1], second);
    let mut rest = answer;
    rest["outputs"][0]["data"] = Value::Null;
    let expected = json!({
        "model_name": "table", "model_version": "1", "id": "42",
        "outputs": [{ "name": "predict", "shape": [2, 1], "datatype": "FP64", "data": null }],
    });
    assert_eq!(rest, expected);
}

#[test]
fn v2_takes_a_tensor_for_each_feature() {
    let server = start();
    let row = row();
    let inputs: Vec<Value> = (0..5)
        .map(|index| json!({ "name": format!("Column_{index}"), "shape": [1, 1], "datatype": "FP64", "data": [row[index]] }))
        .collect();
    let answer = server.post("/v2/models/table/infer", &json!({ "inputs": inputs })).expect(200).json();
    let near = answer["outputs"][0]["data"][0].as_f64().unwrap() - known(1)[0].probability;
    assert!(near.abs() < 1e-12);
    server
        .post("/v2/models/table/infer", &json!({ "inputs": inputs[..4] }))
        .expect(400)
        .says("none for `Column_4`");
}

/// The JSON part of a request and the bytes behind it.
fn binary(server: &Running, json: &Value, raw: &[u8]) -> crate::client::Answer {
    let json = json.to_string();
    let length = json.len().to_string();
    let headers =
        [("Inference-Header-Content-Length", length.as_str()), ("Content-Type", "application/octet-stream")];
    server.send("POST", "/v2/models/weather/infer", &headers, &[json.as_bytes(), raw].concat())
}

fn floats(series: &Value) -> Vec<f32> {
    series
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|day| day.as_array().unwrap())
        .map(|x| x.as_f64().unwrap() as f32)
        .collect()
}

#[test]
fn v2_binary_tensors_say_the_same_as_json() {
    let server = start();
    let numbers = floats(&series(3.0));
    let raw: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
    let input = json!({ "name": "series", "shape": [1, 28, 4], "datatype": "FP32", "parameters": { "binary_data_size": raw.len() } });
    let wanted = json!([{ "name": "logits", "parameters": { "binary_data": true } }]);
    let answer = binary(&server, &json!({ "inputs": [input], "outputs": wanted }), &raw).expect(200);
    let n_json: usize = answer.header("inference-header-content-length").unwrap().parse().unwrap();
    let head: Value = serde_json::from_slice(&answer.body[..n_json]).unwrap();
    assert_eq!(
        head["outputs"][0],
        json!({ "name": "logits", "shape": [1, 2], "datatype": "FP32", "parameters": { "binary_data_size": 8 } })
    );
    let outputs: Vec<f32> =
        answer.body[n_json..].as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();

    let json_input =
        json!({ "name": "series", "shape": [1, 28, 4], "datatype": "FP32", "data": series(3.0) });
    let plain =
        server.post("/v2/models/weather/infer", &json!({ "inputs": [json_input] })).expect(200).json();
    let expected: Vec<f32> = serde_json::from_value(plain["outputs"][0]["data"].clone()).unwrap();
    assert_eq!(outputs, expected);

    // Without outputs named, all of them in binary where the request says so.
    let body = json!({ "inputs": [input], "parameters": { "binary_data_output": true } });
    assert_eq!(binary(&server, &body, &raw).expect(200).body[n_json..].len() % 4, 0);
    binary(&server, &json!({ "inputs": [input] }), &raw[1..]).expect(400).says("binary_data_size");
    binary(&server, &json!({ "inputs": [input] }), &[&raw[..], b"more"].concat())
        .expect(400)
        .says("belong to none");
}

#[test]
fn v2_refuses_what_does_not_follow_it() {
    let server = start();
    let check =
        |body: Value, part: &str| server.post("/v2/models/weather/infer", &body).expect(400).says(part);
    let input = |changes: Value| {
        let mut input =
            json!({ "name": "series", "shape": [1, 28, 4], "datatype": "FP32", "data": series(0.0) });
        input.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        json!({ "inputs": [input] })
    };
    check(json!({}), "no V2 request");
    check(json!({ "inputs": [] }), "no rows");
    check(input(json!({ "name": "x" })), "no input `x`");
    check(input(json!({ "shape": [1, 4, 28] })), "has shape [1, 4, 28]");
    check(input(json!({ "shape": [2, 28, 4] })), "112 elements for shape");
    check(input(json!({ "shape": [u64::MAX, u64::MAX] })), "beyond counting");
    check(input(json!({ "datatype": "FP31" })), "no datatype `FP31`");
    check(input(json!({ "datatype": "FP16" })), "FP16");
    check(input(json!({ "datatype": "BYTES" })), "no list of BYTES");
    check(input(json!({ "data": null })), "neither data nor");
    let mut other = input(json!({}));
    other["outputs"] = json!([{ "name": "y" }]);
    check(other, "no output `y`; it has logits");
}

#[test]
fn thresholds_are_compared_in_double_precision() {
    let server = start();
    // The model goes left up to the first number, which is a split of its first tree, and right from the next one on; in single
    // precision they are one.
    let left: f64 = "0.052905253809911991".parse().unwrap();
    let right = left.next_up();
    let text = std::fs::read_to_string(crate::harness::fixture("trees/lightgbm/binary.txt")).unwrap();
    assert!(text.contains("\nthreshold=0.052905253809911991 ") && text.contains("\nsplit_feature=0 "));
    let rest = row();
    let with = |x: f64| json!([x, rest[1], rest[2], rest[3], rest[4]]);
    let infer = |x: f64| {
        let tensor = json!({ "name": "x", "shape": [1, 5], "datatype": "FP64", "data": with(x) });
        let answer = server.post("/v2/models/table/infer", &json!({ "inputs": [tensor] })).expect(200).json();
        answer["outputs"][0]["data"][0].as_f64().unwrap()
    };
    let predict = |x: f64| {
        server.predict("table", "p", &json!([with(x)])).expect(200).json()["predictions"][0].as_f64()
    };
    assert!(infer(left) != infer(right));
    assert_eq!((predict(left), predict(right)), (Some(infer(left)), Some(infer(right))));
}
