//! Randomness that repeats: keyed by seed, row and draw alone, whatever else is computed and in whatever order.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use sha2::{Digest, Sha256};

/// The random draws of one row: each has a generator of its own.
#[derive(Clone, Debug)]
pub struct Draws {
    key: [u8; 32],
}

impl Draws {
    /// The draws of a row. `purpose` keeps methods apart that share seed and input.
    pub fn new(seed: u64, row_digest: &[u8; 32], purpose: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed.to_le_bytes());
        hash.update(row_digest);
        hash.update(purpose.as_bytes());
        Self { key: hash.finalize().into() }
    }

    /// The generator of one draw: stream `draw` of ChaCha8 under the row's key.
    pub fn draw(&self, draw: u64) -> ChaCha8Rng {
        let mut generator = ChaCha8Rng::from_seed(self.key);
        generator.set_stream(draw);
        generator
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::Rng;

    #[test]
    fn a_draw_does_not_depend_on_others() {
        let draws = Draws::new(1, &[2; 32], "test");
        let alone = draws.draw(5).next_u64();
        let _ = draws.draw(4).next_u64();
        assert_eq!(draws.draw(5).next_u64(), alone);
        assert_ne!(draws.draw(6).next_u64(), alone);
        assert_ne!(Draws::new(2, &[2; 32], "test").draw(5).next_u64(), alone);
    }
}
