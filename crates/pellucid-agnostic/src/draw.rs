//! Single draws from a generator: a share, a number below a bound, some of many.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// Uniform over [0, 1).
pub(crate) fn unit(generator: &mut ChaCha8Rng) -> f64 {
    (generator.next_u64() >> 11) as f64 * (0.5_f64).powi(53)
}

/// Uniform over `0..n`, but for a bias of n / 2⁶⁴; 0 for `n` = 0.
pub(crate) fn below(generator: &mut ChaCha8Rng, n: usize) -> usize {
    ((u128::from(generator.next_u64()) * n as u128) >> 64) as usize
}

/// Puts a random choice of `n_chosen` in random order at the front of `items` (the steps of Fisher and Yates).
pub(crate) fn choose_front<T>(generator: &mut ChaCha8Rng, items: &mut [T], n_chosen: usize) {
    for place in 0..n_chosen.min(items.len()) {
        let other = place + below(generator, items.len() - place);
        items.swap(place, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pellucid_core::Draws;

    #[test]
    fn every_choice_is_as_likely() {
        let draws = Draws::new(1, &[0; 32], "draws");
        let mut counts = [0_usize; 20];
        let n_draws = 6000;
        for draw in 0..n_draws {
            let mut generator = draws.draw(draw);
            let mut items: Vec<usize> = (0..5).collect();
            choose_front(&mut generator, &mut items, 2);
            let second = if items[1] > items[0] { items[1] - 1 } else { items[1] };
            counts[items[0] * 4 + second] += 1;
            assert!((0.0..1.0).contains(&unit(&mut generator)));
        }
        // Each of 20 ordered pairs 300 times, within 5 standard deviations.
        assert!(counts.iter().all(|&count| count.abs_diff(300) < 85), "{counts:?}");
    }
}
