//! Alarms come and go as the rule says.

use crate::*;

fn finding(verdict: Verdict, effect: f64) -> FeatureDrift {
    let mut finding = FeatureDrift::blank(Part::Attribution, "income", Measure::WassersteinInDeviations, 0.1);
    finding.verdict = verdict;
    finding.effect = effect;
    finding.threshold = Some(0.12);
    finding.q_value = Some(0.0004);
    finding.evidence = Evidence {
        reference_rows: 5_000,
        window_rows: 512,
        reference_effective: 5_000.0,
        window_effective: 512.0,
    };
    let mean = BeforeAfter { reference: 0.5, window: 0.75 };
    finding.numbers =
        Some(Numbers { mean, mean_size: mean, scale: 1.0, mean_shift: 0.25, kolmogorov_smirnov: 0.1 });
    finding
}

fn window(place: i64) -> Window {
    let hour = 3_600_000_000;
    Window { rows: 0..512, start_micros: place * hour, end_micros: (place + 1) * hour }
}

fn drift(features: Vec<FeatureDrift>) -> WindowDrift {
    WindowDrift { comparability_key: "a".to_owned(), n_rows: 512, features, ranking: None }
}

/// Windows as letters: `d` drifted, `-` not shown, `?` too few rows. Expected: `R` and `C` where an alarm is raised and cleared, `.` elsewhere.
fn check(rule: AlarmRule, windows: &str, expected: &str) -> Vec<Alarm> {
    let mut monitor = Monitor::new("a", rule).unwrap();
    let (mut told, mut alarms) = (String::new(), Vec::new());
    for (place, letter) in windows.chars().enumerate() {
        let verdict = match letter {
            'd' => Verdict::Drifted,
            '-' => Verdict::NotShown,
            _ => Verdict::InsufficientEvidence,
        };
        let changed = monitor
            .observe(&window(place as i64), &drift(vec![finding(verdict, 0.2 + place as f64 / 100.0)]))
            .unwrap();
        told.push(match changed.as_slice() {
            [] => '.',
            [Alarm { state: AlarmState::Raised, .. }] => 'R',
            _ => 'C',
        });
        alarms.extend(changed);
    }
    assert_eq!(told, expected);
    assert_eq!(monitor.standing().count(), usize::from(expected.rfind('R') > expected.rfind('C')));
    alarms
}

#[test]
fn alarms_are_raised_by_three_of_five_and_cleared_by_five_in_a_row() {
    let rule = AlarmRule::default();
    check(rule, "dd----", "......");
    check(rule, "d-d-d", "....R");
    check(rule, "ddd----d-----", "..R.........C");
    // The first of three lies too far back.
    check(rule, "d--d--d", ".......");
    // Windows with too few rows neither count nor clear.
    check(rule, "d?d??d", ".....R");
    check(rule, "ddd--??---", "..R......C");
    // What was cleared does not count again.
    check(rule, "ddd-----dd--", "..R....C....");
    check(rule, "ddd-----ddd", "..R....C..R");
    check(AlarmRule { drifted: 1, of: 1, clear_after: 1, ..AlarmRule::default() }, "d-d-", "RCRC");
    check(AlarmRule { drifted: 2, of: 2, clear_after: 3, ..AlarmRule::default() }, "dd--d---", ".R.....C");
}

#[test]
fn an_alarm_says_which_feature_how_much_since_when_and_on_what() {
    let alarms = check(AlarmRule::default(), "--d-dd-----", ".....R....C");
    let [raised, cleared] = alarms.as_slice() else { panic!("two alarms") };
    assert_eq!((raised.since_micros, raised.raised_micros), (2 * 3_600_000_000, 6 * 3_600_000_000));
    assert_eq!((raised.n_drifted, raised.n_windows, raised.largest_effect), (3, 4, 0.25));
    assert_eq!(
        raised.sentence,
        "The attribution of `income` has drifted by 0.25 standard deviations of the reference since 1970-01-01 02:00 UTC \
         (its mean went up from 0.500 to 0.750): 3 of 4 windows since then are drifted. \
         Evidence: 512 rows of the last drifted window against 5,000 of the reference; adjusted p-value 0.0004; an effect of 0.12 or more counts."
    );
    assert_eq!(
        (cleared.since_micros, cleared.cleared_micros),
        (raised.since_micros, Some(11 * 3_600_000_000))
    );
    assert_eq!(
        cleared.sentence,
        "The attribution of `income` is back to what the reference shows since 1970-01-01 11:00 UTC. \
         It had drifted since 1970-01-01 02:00 UTC, in 3 of 9 windows, at most by 0.25 standard deviations of the reference."
    );
}

#[test]
fn what_is_no_longer_found_is_no_longer_drifted() {
    let rule = AlarmRule { drifted: 1, of: 1, clear_after: 2, ..AlarmRule::default() };
    let mut monitor = Monitor::new("a", rule).unwrap();
    assert_eq!(monitor.observe(&window(0), &drift(vec![finding(Verdict::Drifted, 0.3)])).unwrap().len(), 1);
    assert!(monitor.observe(&window(1), &drift(vec![])).unwrap().is_empty());
    let cleared = monitor.observe(&window(2), &drift(vec![])).unwrap();
    assert_eq!(cleared[0].state, AlarmState::Cleared);
}

#[test]
fn windows_come_in_order_and_rules_make_sense() {
    let mut monitor = Monitor::new("a", AlarmRule::default()).unwrap();
    monitor.observe(&window(5), &drift(vec![])).unwrap();
    assert!(matches!(monitor.observe(&window(4), &drift(vec![])), Err(Error::Sample { .. })));
    for (drifted, of, clear_after) in [(0, 5, 5), (6, 5, 5), (3, 5, 0)] {
        assert!(Monitor::new("a", AlarmRule { drifted, of, clear_after, ..AlarmRule::default() }).is_err());
    }
}

/// Of two ways to the same alarm the feature has one; it is told once when it is raised, and once when neither stands any more.
#[test]
fn windows_and_groups_of_them_raise_one_alarm() {
    let sample = |n: usize, shift: f64| Sample {
        attributions: vec![Column::numeric(
            "income",
            (0..n).map(|i| (i * 619 % 997) as f64 / 997.0 + shift).collect::<Vec<_>>(),
        )],
        ..Sample::default()
    };
    let rule = AlarmRule { drifted: 1, of: 1, clear_after: 2, pooled_rows: 250 };
    let options = Options { window_rows: 100, ..Options::default() };
    let mut watch = Watch::new(&sample(3_000, 0.0), options, rule).unwrap();
    // Three windows make a group. One that is far off raises an alarm at once, and its group would again.
    let mut told = String::new();
    for place in 0..12 {
        let shift = if place == 1 { 2.0 } else { 0.0 };
        let observed = watch.observe(&window(place), &sample(100, shift)).unwrap();
        told.push(match observed.changed.as_slice() {
            [] => '.',
            [Alarm { state: AlarmState::Raised, pooled: false, .. }] => 'R',
            [Alarm { state: AlarmState::Cleared, pooled: true, .. }] => 'C',
            _ => '?',
        });
    }
    // The windows' own is quiet after two more, the groups' after two more groups.
    assert_eq!(told, ".R......C...");
    assert_eq!(watch.standing().len(), 0);
}

#[test]
fn windows_that_differ_cannot_be_taken_together() {
    let of = |groups: Option<Vec<u64>>| Sample {
        groups,
        attributions: vec![Column::numeric("income", vec![1.0, 2.0])],
        ..Sample::default()
    };
    let joined = Sample::joined(&[of(None), of(None)]).unwrap();
    assert_eq!((joined.n_rows(), &joined.groups), (4, &None));
    let error = Sample::joined(&[of(None), of(Some(vec![1, 1]))]).unwrap_err().to_string();
    assert!(error.contains("some windows have groups"), "{error}");
}
