//! Partner: with which other feature does a feature's effect change most?

use crate::tabular::Table;

/// Rows in a window: enough for a correlation, few enough that the feature itself hardly changes within.
const WINDOW: usize = 50;

/// The feature whose data go along best with the values of `feature` among rows that hold nearly the same for `feature`:
/// the largest `Σ |correlation|` over windows of rows in the order of the feature's data. An estimate from the rows at
/// hand; exact interactions need interaction values. `None` if no other feature varies.
pub(crate) fn strongest_partner(table: &Table<'_>, feature: usize) -> Option<usize> {
    let mut order: Vec<usize> =
        (0..table.n_rows()).filter(|&row| table.datum(row, feature).is_finite()).collect();
    order.sort_by(|&a, &b| table.datum(a, feature).total_cmp(&table.datum(b, feature)).then(a.cmp(&b)));
    let window = WINDOW.min(order.len() / 10).max(4);
    let score = |other: usize| -> f64 {
        order.chunks_exact(window).map(|rows| correlation(table, rows, feature, other).abs()).sum()
    };
    let mut best = None;
    for other in (0..table.n_features()).filter(|&other| other != feature) {
        let score = score(other);
        if score > best.map_or(0.0, |(_, best)| best) {
            best = Some((other, score));
        }
    }
    best.map(|(other, _)| other)
}

/// Pearson's, between the values of `feature` and the data of `other`; 0 where either does not vary.
fn correlation(table: &Table<'_>, rows: &[usize], feature: usize, other: usize) -> f64 {
    let pairs = rows.iter().map(|&row| (table.values[[row, feature]], table.datum(row, other)));
    let pairs: Vec<(f64, f64)> = pairs.filter(|(_, datum)| datum.is_finite()).collect();
    // Numbers near the ends of what an f64 holds would overflow when squared.
    let largest =
        |get: fn(&(f64, f64)) -> f64| pairs.iter().map(get).fold(0.0, |max: f64, x| max.max(x.abs()));
    let (value_unit, datum_unit) = (largest(|pair| pair.0), largest(|pair| pair.1));
    if pairs.len() < 3 || value_unit == 0.0 || datum_unit == 0.0 {
        return 0.0;
    }
    let pairs: Vec<(f64, f64)> = pairs.iter().map(|(x, y)| (x / value_unit, y / datum_unit)).collect();
    let n = pairs.len() as f64;
    let mean = pairs.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0 / n, sum.1 + pair.1 / n));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in pairs {
        let (x, y) = (x - mean.0, y - mean.1);
        (xx, yy, xy) = (xx + x * x, yy + y * y, xy + x * y);
    }
    // Below this, what varies is rounding.
    if xx < 1e-24 * n || yy < 1e-24 * n { 0.0 } else { xy / (xx.sqrt() * yy.sqrt()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tabular::testing::{noise, plain};

    #[test]
    fn the_feature_of_the_product_is_found() {
        let mut owned = plain(600, 6);
        let data = owned.data.clone().unwrap();
        for row in 0..600 {
            owned.values[[row, 2]] = data[[row, 2]] * data[[row, 4]] + 30.0 * noise(row, 77);
        }
        assert_eq!(strongest_partner(&owned.table(), 2), Some(4));
    }

    #[test]
    fn alone_there_is_no_partner() {
        assert_eq!(strongest_partner(&plain(60, 1).table(), 0), None);
        let mut owned = plain(60, 3);
        owned.data.as_mut().unwrap().fill(2.0);
        assert_eq!(strongest_partner(&owned.table(), 0), None);
    }
}
