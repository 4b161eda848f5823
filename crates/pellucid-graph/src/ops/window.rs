//! Where the windows of convolutions and pools lie, before a run and in one.

use crate::graph::Node;
use crate::types::Dim;

/// How a window slides along one spatial axis, as the node's attributes say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slide {
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) dilation: usize,
    padding: Padding,
    /// Whether a last window may reach beyond the padding (`ceil_mode` of pools).
    ceil: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Padding {
    Explicit {
        begin: usize,
        end: usize,
    },
    /// As much as makes the number of windows `length / stride`, rounded up; an odd one at the end or in front.
    Same {
        odd_at_end: bool,
    },
}

/// A window along one axis of known length: tap `t` of place `o` lies at `o·stride + t·dilation − begin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) dilation: usize,
    pub(crate) begin: usize,
    pub(crate) end: usize,
    /// The side that the window slides over: the input of a convolution or pool, the output of a ConvTranspose.
    pub(crate) length: usize,
    /// The number of places: the output of a convolution or pool, the input of a ConvTranspose.
    pub(crate) count: usize,
}

impl Slide {
    /// The positions from the first to the last tap.
    pub(crate) fn reach(&self) -> usize {
        self.dilation * (self.kernel - 1) + 1
    }

    /// The places along an axis of `length`, as convolutions and pools count them.
    pub(crate) fn along(&self, length: usize) -> Result<Places, String> {
        let (begin, end) = self.padding_along(&Dim::Known(length)).unwrap_or_default();
        let free = (length + begin + end).checked_sub(self.reach()).ok_or_else(|| {
            format!("a window of {} does not fit in {length} with padding {begin} and {end}", self.reach())
        })?;
        let mut count = 1 + if self.ceil { free.div_ceil(self.stride) } else { free / self.stride };
        // A window that would start behind the input, in the padding at its end, does not count.
        if self.ceil && (count - 1) * self.stride >= length + begin {
            count -= 1;
        }
        Ok(self.placed(begin, end, length, count))
    }

    /// The padding along an axis, `None` where it depends on a length that is not known.
    pub(crate) fn padding_along(&self, length: &Dim) -> Option<(usize, usize)> {
        match self.padding {
            Padding::Explicit { begin, end } => Some((begin, end)),
            Padding::Same { odd_at_end } => Some(self.same_padding(length.known()?, odd_at_end)),
        }
    }

    /// The padding with which `ceil_mode` finds no more windows than without, `None` where the length is not known.
    pub(crate) fn padding_without_ceil(&self, length: &Dim) -> Result<Option<(usize, usize)>, String> {
        let Some(length) = length.known() else { return Ok(None) };
        let places = self.along(length)?;
        let read = self.stride * places.count.saturating_sub(1) + self.reach();
        Ok(Some((places.begin, read.saturating_sub(places.begin + length))))
    }

    fn same_padding(&self, length: usize, odd_at_end: bool) -> (usize, usize) {
        let count = length.div_ceil(self.stride);
        let total = ((count.max(1) - 1) * self.stride + self.reach()).saturating_sub(length);
        halves(total, odd_at_end)
    }

    /// The number of windows along an axis of which perhaps no more than a name is known.
    pub(crate) fn count_dim(&self, length: &Dim) -> Result<Dim, String> {
        let keeps_length = match self.padding {
            Padding::Explicit { begin, end } => begin + end + 1 == self.reach(),
            Padding::Same { .. } => true,
        };
        Ok(match length {
            Dim::Known(n) => Dim::Known(self.along(*n)?.count),
            dim if keeps_length && self.stride == 1 => dim.clone(),
            _ => Dim::Unknown,
        })
    }

    /// The places of a ConvTranspose with `count` inputs along this axis. `extra` is its `output_padding`, `stated` its
    /// `output_shape`; automatic padding makes the output `stride` times as long as the input.
    pub(crate) fn transposed(
        &self,
        count: usize,
        extra: usize,
        stated: Option<usize>,
    ) -> Result<Places, String> {
        if count == 0 {
            return Err("an axis of length 0 cannot be convolved".to_owned());
        }
        let full = self.stride * (count - 1) + self.reach() + extra;
        let (wanted, odd_at_end) = match (stated, self.padding) {
            (Some(length), Padding::Same { odd_at_end }) => (length, odd_at_end),
            (Some(length), Padding::Explicit { .. }) => (length, false),
            (None, Padding::Same { odd_at_end }) => (self.stride * count, odd_at_end),
            (None, Padding::Explicit { begin, end }) => {
                let length = full
                    .checked_sub(begin + end)
                    .ok_or_else(|| format!("padding {begin} and {end} leaves nothing of {full}"))?;
                return Ok(self.placed(begin, end, length, count));
            }
        };
        let (begin, end) = halves(full.saturating_sub(wanted), odd_at_end);
        Ok(self.placed(begin, end, wanted, count))
    }

    fn placed(&self, begin: usize, end: usize, length: usize, count: usize) -> Places {
        let Self { kernel, stride, dilation, .. } = *self;
        Places { kernel, stride, dilation, begin, end, length, count }
    }
}

impl Places {
    /// The positions behind the last tap of the last place, padding included: no window reads them.
    pub(crate) fn unread(&self) -> usize {
        let read = self.count.saturating_sub(1) * self.stride + self.dilation * (self.kernel - 1) + 1;
        (self.begin + self.length + self.end).saturating_sub(read)
    }

    /// Where tap `tap` of place `place` lies, `None` in the padding.
    pub(crate) fn position(&self, place: usize, tap: usize) -> Option<usize> {
        let padded = place * self.stride + tap * self.dilation;
        padded.checked_sub(self.begin).filter(|&position| position < self.length)
    }

    /// For each place the number of taps on the axis, with `padded` also those in the padding. Taps beyond the
    /// padding, which `ceil_mode` allows, never count.
    pub(crate) fn tap_counts(&self, padded: bool) -> Vec<usize> {
        let (low, high) = match padded {
            true => (0, self.length + self.begin + self.end),
            false => (self.begin, self.begin + self.length),
        };
        let inside = |place: usize, tap: usize| {
            let at = place * self.stride + tap * self.dilation;
            low <= at && at < high
        };
        (0..self.count).map(|place| (0..self.kernel).filter(|&tap| inside(place, tap)).count()).collect()
    }
}

/// Two halves of `total`, the odd one behind or in front.
fn halves(total: usize, odd_at_end: bool) -> (usize, usize) {
    let (small, large) = (total / 2, total - total / 2);
    if odd_at_end { (small, large) } else { (large, small) }
}

/// How the window of a node slides, axis by axis.
pub(crate) fn slides(node: &Node, kernel: &[usize]) -> Result<Vec<Slide>, String> {
    let n = kernel.len();
    let strides = per_axis(node, "strides", n, 1)?;
    let dilations = per_axis(node, "dilations", n, 1)?;
    if let Some(0) = kernel.iter().chain(&strides).chain(&dilations).min() {
        return Err(format!(
            "kernel {kernel:?}, strides {strides:?} and dilations {dilations:?} must be at least 1"
        ));
    }
    let pads = pads(node, n)?;
    let ceil = node.int("ceil_mode").unwrap_or(0) != 0;
    let slide = |i: usize| Slide {
        kernel: kernel[i],
        stride: strides[i],
        dilation: dilations[i],
        padding: pads[i],
        ceil,
    };
    Ok((0..n).map(slide).collect())
}

fn pads(node: &Node, n: usize) -> Result<Vec<Padding>, String> {
    let (same, explicit) = match node.string("auto_pad").unwrap_or("NOTSET") {
        "SAME_UPPER" => (Some(Padding::Same { odd_at_end: true }), false),
        "SAME_LOWER" => (Some(Padding::Same { odd_at_end: false }), false),
        "VALID" => (None, false),
        "NOTSET" => (None, true),
        other => return Err(format!("auto_pad `{other}` is none of NOTSET, VALID, SAME_UPPER, SAME_LOWER")),
    };
    let pads = if explicit { per_axis(node, "pads", 2 * n, 0)? } else { vec![0; 2 * n] };
    let explicit = |i: usize| Padding::Explicit { begin: pads[i], end: pads[n + i] };
    Ok((0..n).map(|i| same.unwrap_or(explicit(i))).collect())
}

/// A list attribute with one number an axis; `default` for all where it is left out.
pub(crate) fn per_axis(node: &Node, name: &str, n: usize, default: usize) -> Result<Vec<usize>, String> {
    let Some(list) = node.ints(name) else { return Ok(vec![default; n]) };
    let numbers: Option<Vec<usize>> = list.iter().map(|&k| usize::try_from(k).ok()).collect();
    numbers
        .filter(|numbers| numbers.len() == n)
        .ok_or_else(|| format!("{name} {list:?}: expected {n} numbers, none negative"))
}

/// The taps that lie on the input: for each tap, in row-major order, pairs of a place and a position, both as offsets
/// into their planes.
pub(crate) fn tap_pairs(axes: &[Places]) -> Vec<Vec<(usize, usize)>> {
    let mut taps = vec![vec![(0, 0)]];
    for axis in axes {
        let along = |pairs: &Vec<(usize, usize)>, tap: usize| -> Vec<(usize, usize)> {
            let hits: Vec<(usize, usize)> = (0..axis.count)
                .filter_map(|place| axis.position(place, tap).map(|position| (place, position)))
                .collect();
            let extend = |&(o, i): &(usize, usize)| {
                hits.iter()
                    .map(move |(place, position)| (o * axis.count + place, i * axis.length + position))
                    .collect::<Vec<_>>()
            };
            pairs.iter().flat_map(extend).collect()
        };
        taps = taps
            .iter()
            .flat_map(|pairs| (0..axis.kernel).map(|tap| along(pairs, tap)).collect::<Vec<_>>())
            .collect();
    }
    taps
}
