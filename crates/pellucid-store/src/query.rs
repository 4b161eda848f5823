//! Which records somebody wants to see.

use rusqlite::types::Value;

/// Conditions that records must meet, all of those that are given.
///
/// ```
/// use pellucid_store::Query;
/// let query = Query { method: Some("lime".into()), since_micros: Some(1_790_000_000_000_000), ..Query::default() };
/// assert_eq!(query.limit, 1_000);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Explains this prediction.
    pub prediction_id: Option<String>,
    /// Of the model of this name,
    pub model_name: Option<String>,
    /// this version of it,
    pub model_version: Option<String>,
    /// or the file with this SHA-256, in hexadecimal digits.
    pub model_digest: Option<String>,
    /// By this method.
    pub method: Option<String>,
    /// Comparable under this key.
    pub comparability_key: Option<String>,
    /// Not before this time, in microseconds since 1970-01-01 UTC.
    pub since_micros: Option<i64>,
    /// Before this time.
    pub until_micros: Option<i64>,
    /// Whether feedback and erasures are left out.
    pub records_only: bool,
    /// From this entry on: the last one's index + 1 for the next page.
    pub from_index: u64,
    /// So many at the most.
    pub limit: u64,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            prediction_id: None,
            model_name: None,
            model_version: None,
            model_digest: None,
            method: None,
            comparability_key: None,
            since_micros: None,
            until_micros: None,
            records_only: true,
            from_index: 0,
            limit: 1_000,
        }
    }
}

const SELECT: &str = "SELECT entry_index, bytes, \
     EXISTS (SELECT 1 FROM payload WHERE payload.entry_index = entry.entry_index) FROM entry";

impl Query {
    /// The statement and its values. A condition's text is ours alone; what callers give is a value.
    pub(crate) fn to_sql(&self) -> (String, Vec<Value>) {
        let text = |it: &Option<String>| it.clone().map(Value::from);
        let records = self.records_only.then(|| Value::from("record".to_owned()));
        let conditions = [
            ("entry_index >=", Some(Value::from(integer(self.from_index)))),
            ("kind =", records),
            ("prediction_id =", text(&self.prediction_id)),
            ("model_name =", text(&self.model_name)),
            ("model_version =", text(&self.model_version)),
            ("model_digest =", text(&self.model_digest)),
            ("method =", text(&self.method)),
            ("comparability_key =", text(&self.comparability_key)),
            ("timestamp_micros >=", self.since_micros.map(Value::from)),
            ("timestamp_micros <", self.until_micros.map(Value::from)),
        ];
        let given = conditions.into_iter().filter_map(|(condition, value)| Some((condition, value?)));
        let (conditions, mut values): (Vec<&str>, Vec<Value>) = given.unzip();
        let conditions: Vec<String> = conditions.iter().map(|condition| format!("{condition} ?")).collect();
        values.push(Value::from(integer(self.limit)));
        (format!("{SELECT} WHERE {} ORDER BY entry_index LIMIT ?", conditions.join(" AND ")), values)
    }

    /// The newest record of a prediction under a comparability key.
    pub(crate) fn newest(prediction_id: &str, comparability_key: &str) -> (String, Vec<Value>) {
        let conditions = "kind = 'record' AND prediction_id = ? AND comparability_key = ?";
        let values = [prediction_id, comparability_key].map(|value| Value::from(value.to_owned()));
        (format!("{SELECT} WHERE {conditions} ORDER BY entry_index DESC LIMIT 1"), values.to_vec())
    }

    /// All feedback on a prediction.
    pub(crate) fn feedback(prediction_id: &str) -> (String, Vec<Value>) {
        let conditions = "kind = 'feedback' AND prediction_id = ?";
        let values = vec![Value::from(prediction_id.to_owned())];
        (format!("{SELECT} WHERE {conditions} ORDER BY entry_index"), values)
    }
}

/// SQLite counts in 63 bits.
fn integer(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
