//! Explained rows of a reference and of windows → findings with their evidence, and alarms; cohorts side by side.

mod error;
mod sample;
mod window;

mod bins;
mod chi_square;
mod distribution;
mod false_discovery;
mod gap;
mod kolmogorov_smirnov;
mod ranking;
mod share;
mod stability;
mod wasserstein;
mod weighted;

mod groups;
mod random;

mod calibration;
mod finding;
mod options;
mod prepared;
mod reference;

mod alarm;
mod sentence;
mod watch;

mod cohort;
mod interval;

#[cfg(test)]
mod alarm_tests;
#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod law_tests;
#[cfg(test)]
mod trap_tests;

pub use alarm::{Alarm, AlarmRule, AlarmState, Monitor};
pub use bins::Bins;
pub use chi_square::chi_square_test;
pub use cohort::{
    Aspect, Cohort, CohortOptions, CohortReport, CohortSummary, Difference, DifferenceVerdict, Quantity,
    compare_cohorts,
};
pub use error::Error;
pub use false_discovery::false_discovery_rate;
pub use finding::{BeforeAfter, Categories, Evidence, FeatureDrift, Measure, Numbers, Verdict, WindowDrift};
pub use interval::{
    Contrast, Interval, compare_means, compare_shares, mean_interval, student_interval, wilson,
};
pub use kolmogorov_smirnov::{KolmogorovSmirnov, MAX_EXACT_PAIRS, kolmogorov_smirnov};
pub use options::{Calibration, Limit, Options, ReferenceWindows};
pub use ranking::{Ranking, kendall_tau, ndcg, top_k_overlap};
pub use reference::Reference;
pub use sample::{Column, Part, Sample, Values};
pub use share::{shares, total_variation};
pub use stability::{Divergence, jensen_shannon, stability_index};
pub use wasserstein::{SCALE_FLOOR, scale, wasserstein};
pub use watch::{Observed, Watch};
pub use weighted::Weighted;
pub use window::{Window, windows_by_count, windows_by_time};
