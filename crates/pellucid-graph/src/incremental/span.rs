//! Stretches of positions that move with a window.

use crate::ops::window::Places;

/// Positions along one axis of a wire that move with the window's index `t`: they begin at `t · step + start`, where the
/// step belongs to the wire (see [`super::layout::Layout`]), and are as many for every window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: i64,
    pub(super) len: usize,
}

impl Span {
    /// The positions `first..=last`, `None` where there are none.
    fn between(first: i64, last: i64) -> Option<Self> {
        let len = usize::try_from(last - first + 1).ok().filter(|&len| len > 0)?;
        Some(Self { start: first, len })
    }

    fn last(self) -> i64 {
        self.start + self.len as i64 - 1
    }

    /// The shortest stretch that holds both.
    pub(super) fn hull(self, other: Self) -> Self {
        let start = self.start.min(other.start);
        let len = (self.last().max(other.last()) - start + 1) as usize;
        Self { start, len }
    }

    /// What both hold; stretches that do not meet share nothing, which no caller has.
    pub(super) fn shared(self, other: Self) -> Option<Self> {
        Self::between(self.start.max(other.start), self.last().min(other.last()))
    }

    /// The places of a sliding kernel that read any of these positions: `o·stride − begin ≤ last` and
    /// `o·stride − begin + reach − 1 ≥ start`. `None` where the stride steps over all of them.
    pub(super) fn read_by(self, axis: &Places) -> Option<Self> {
        let (stride, begin) = (axis.stride as i64, axis.begin as i64);
        let first = -(-(self.start + begin - reach(axis) + 1)).div_euclid(stride);
        Self::between(first, (self.last() + begin).div_euclid(stride))
    }

    /// The positions that these places of a sliding kernel read.
    pub(super) fn reads(self, axis: &Places) -> Self {
        let start = self.start * axis.stride as i64 - axis.begin as i64;
        Self { start, len: (self.len - 1) * axis.stride + reach(axis) as usize }
    }
}

/// The positions from a kernel's first to its last tap.
fn reach(axis: &Places) -> i64 {
    (axis.dilation * (axis.kernel - 1) + 1) as i64
}

/// The lengths of the stretches, axis by axis.
pub(super) fn lengths(spans: &[Span]) -> Vec<usize> {
    spans.iter().map(|span| span.len).collect()
}

/// The number of positions in a box of stretches.
pub(super) fn volume(spans: &[Span]) -> usize {
    spans.iter().map(|span| span.len).product()
}
